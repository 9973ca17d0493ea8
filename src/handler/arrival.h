/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What to do while the watchdog is not on the bus. Nothing here starts it: what an operator has stopped
 * stays so. But one that systemd is bringing up, at boot or again after its end, is worth waiting for. */

#include <systemd/sd-bus.h>

#include "common/macro.h"

/* Waits for the watchdog until deadline (CLOCK_MONOTONIC usec). was_there: it was, a moment ago; where there
 * is no systemd to ask, that alone is reason to wait. Returns 1 when it is there, 0 if nobody brings it up
 * or the time is over, -ECANCELED when the client at client_fd is gone, or another negative errno. */
int arrival_wait(sd_bus *bus, bool was_there, int client_fd, uint64_t deadline);
