/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Errors of common/vm1.h whose text is the same wherever a call is answered with them. */

#include <systemd/sd-bus.h>

/* Answers a call with one of Offline, Resetting, Busy or Refused, and its usual text: a refusal is that of a
 * service that ends. 0 or more, or a negative errno. */
int bus_error_reply(sd_bus_message *call, const char *name);
/* Answers a call with TooManyReverts: whose requests bring about too many is refused for so long. 0 or more,
 * or a negative errno. */
int bus_error_reply_too_many_reverts(sd_bus_message *call, uint64_t left_usec);
