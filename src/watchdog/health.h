/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What systemd is told: readiness, one line of status for people, and the watchdog's own sign of life, which
 * is tied to a round trip through the loop, libvirt's thread and the workers, not to a turn of the loop. */

#include "watchdog/manager.h"

int health_new(Manager *manager, Health **ret);
/* A connection to libvirt is given up: it is no sign of our life any more. */
void health_leave_out(Health *health, const Hypervisor *hypervisor);
Health *health_free(Health *health);
DEFINE_CLEANUP(Health *, health_free);

/* The bus name is ours: READY=1. */
void health_ready(Health *health);
void health_reloading(Health *health);
void health_reloaded(Health *health);
void health_stopping(Health *health);
/* Tells the status, if it is not as it was told last. */
void health_tell(Health *health);
