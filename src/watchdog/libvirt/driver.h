/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt as a backend: its thread, and a connection for each URI that a machine names. */

#include <systemd/sd-event.h>

#include "watchdog/backend.h"

/* The table is the driver's; its end() frees it. 0 or negative errno. */
int libvirt_driver_new(sd_event *event, BackendDriver **ret);
