/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The errors of org.pbot.VM1, with what a client is told. */

#include <systemd/sd-bus.h>

#define VM1_ERROR_NO_SUCH_MACHINE "org.pbot.VM1.Error.NoSuchMachine"
#define VM1_ERROR_OFFLINE "org.pbot.VM1.Error.Offline"
#define VM1_ERROR_RESETTING "org.pbot.VM1.Error.Resetting"
#define VM1_ERROR_BUSY "org.pbot.VM1.Error.Busy"
#define VM1_ERROR_REFUSED "org.pbot.VM1.Error.Refused"

/* Answers a call with one of them and its usual text. */
int bus_error_reply(sd_bus_message *call, const char *name);
