/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "watchdog/machine-view.h"

/* Answers a call of Lease(): the descriptor, which stays the caller's, the lease's id, and what a client has
 * to know of the machine. 0 or negative errno. */
int bus_lease_reply(
        sd_bus_message *call, int fd, const char *id, const MachineView *machine, uint64_t timeout_usec);
