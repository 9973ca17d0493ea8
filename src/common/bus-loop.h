/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

/* Runs the loop of a service that lives by its bus connection, for which sd_bus_set_exit_on_disconnect() was
 * called and whose own ends are sd_event_exit(event, 0). Returns 0 for these; else a negative errno, logged:
 * -ENOTCONN if the bus is lost. */
int bus_loop_run(sd_event *event);
