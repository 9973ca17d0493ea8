/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A bus without an event loop, and a client who may go away meanwhile (client_fd; -EBADF: none). Deadlines
 * are CLOCK_MONOTONIC usec. */

#include <systemd/sd-bus.h>

#include "common/macro.h"

/* Waits until there is something to do for the bus, once. 0, also for no reason and at the deadline,
 * -ECANCELED when the client's connection was reset, or another negative errno. */
int bus_wait(sd_bus *bus, int client_fd, uint64_t deadline);

/* Runs the bus until *done. 0, -ECANCELED, -ETIMEDOUT, or another negative errno. */
int bus_run(sd_bus *bus, const bool *done, int client_fd, uint64_t deadline);

/* Sends a call and waits usec for its answer: 0 with *ret, the caller's, which may be an error message. A
 * bus daemon that hangs does not even let the call's own time begin: hence a deadline too. Else as
 * bus_run(). */
int bus_ask(sd_bus *bus, sd_bus_message *call, uint64_t usec, int client_fd, uint64_t deadline,
        sd_bus_message **ret);
