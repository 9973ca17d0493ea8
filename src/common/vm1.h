/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the watchdog, the paste service, the handlers and pbotvmctl call each other by on the bus: names,
 * paths and errors, and what a client of pbotvm is told for an error. */

#define VM1_NAME "org.pbot.VM1"
#define VM1_PATH "/org/pbot/VM1"
#define VM1_MACHINES VM1_PATH "/machine"
#define VM1_MANAGER VM1_NAME ".Manager"
#define VM1_MACHINE VM1_NAME ".Machine"
/* A service of its own: its name is its interface too. */
#define VM1_PASTE VM1_NAME ".Paste"
#define VM1_PASTE_PATH VM1_PATH "/Paste"

/* What the names of all errors begin with. */
#define VM1_ERROR_PREFIX VM1_NAME ".Error."
#define VM1_ERROR_NO_SUCH_MACHINE VM1_ERROR_PREFIX "NoSuchMachine"
#define VM1_ERROR_OFFLINE VM1_ERROR_PREFIX "Offline"
#define VM1_ERROR_RESETTING VM1_ERROR_PREFIX "Resetting"
#define VM1_ERROR_BUSY VM1_ERROR_PREFIX "Busy"
#define VM1_ERROR_TOO_MANY_REVERTS VM1_ERROR_PREFIX "TooManyReverts"
#define VM1_ERROR_REFUSED VM1_ERROR_PREFIX "Refused"
#define VM1_ERROR_MISCONFIGURED VM1_ERROR_PREFIX "Misconfigured"
#define VM1_ERROR_PASTE_FAILED VM1_ERROR_PREFIX "PasteFailed"
#define VM1_ERROR_PASTE_OFF VM1_ERROR_PREFIX "PasteOff"

#define VM1_TEXT_OFFLINE "Virtual machine is offline."
#define VM1_TEXT_RESETTING "Virtual machine is resetting, try again soon."
#define VM1_TEXT_BUSY "Virtual machine is busy, try again soon."
/* With how many of what: "7 minutes". */
#define VM1_TEXT_TOO_MANY_REVERTS                                                                           \
        "Virtual machine was reset too often because of you, try again in %" PRIu64 " %s."
#define VM1_TEXT_NOT_RUNNING "Virtual machine service is not running."
