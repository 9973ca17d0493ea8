/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* systemd's side of a bus between two ends of a socket pair: a test answers what it is asked. */

#include <systemd/sd-bus.h>

/* Both ends, on the loop. on_call is called with what comes to systemd's. Fails the test if that cannot be.
 */
void fake_systemd_open(sd_event *event, sd_bus_message_handler_t on_call, void *userdata, sd_bus **ret_ours,
        sd_bus **ret_systemd);
/* Tells that a job has ended: "done", "failed" ... */
void fake_systemd_end_job(sd_bus *systemd, const char *job, const char *unit, const char *result);
