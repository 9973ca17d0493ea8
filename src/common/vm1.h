/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the watchdog, the paste service, the handlers and pbotvmctl call each other by on the bus: names,
 * paths and errors, and what a client of pbotvm is told for an error. */

#include <systemd/sd-bus.h>

#define VM1_NAME "org.pbot.VM1"
#define VM1_PATH "/org/pbot/VM1"
#define VM1_MACHINES VM1_PATH "/machine"
#define VM1_MANAGER VM1_NAME ".Manager"
#define VM1_MACHINE VM1_NAME ".Machine"
/* A service of its own: its name is its interface too. */
#define VM1_PASTE VM1_NAME ".Paste"
#define VM1_PASTE_PATH VM1_PATH "/Paste"

#define VM1_ERROR VM1_NAME ".Error."
#define VM1_ERROR_NO_SUCH_MACHINE VM1_ERROR "NoSuchMachine"
#define VM1_ERROR_OFFLINE VM1_ERROR "Offline"
#define VM1_ERROR_RESETTING VM1_ERROR "Resetting"
#define VM1_ERROR_BUSY VM1_ERROR "Busy"
#define VM1_ERROR_REFUSED VM1_ERROR "Refused"
#define VM1_ERROR_MISCONFIGURED VM1_ERROR "Misconfigured"
#define VM1_ERROR_PASTE_FAILED VM1_ERROR "PasteFailed"
#define VM1_ERROR_PASTE_OFF VM1_ERROR "PasteOff"

#define VM1_TEXT_OFFLINE "Virtual machine is offline."
#define VM1_TEXT_RESETTING "Virtual machine is resetting, try again soon."
#define VM1_TEXT_BUSY "Virtual machine is busy, try again soon."
#define VM1_TEXT_NOT_RUNNING "Virtual machine service is not running."

/* Answers a call with one of Offline, Resetting, Busy or Refused, and its usual text: a refusal is that of a
 * service that ends. 0 or more, or a negative errno. */
int vm1_error_reply(sd_bus_message *call, const char *name);
