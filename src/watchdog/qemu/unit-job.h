/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What systemd is asked to do with a unit. Whoever waits for the end of a job has called Subscribe() of
 * systemd's, or none is told. */

#include <systemd/sd-bus.h>

#include "common/macro.h"

/* One job: asks for it and waits for its end. Called once, from the loop: 0, or a negative errno and why,
 * for people: the unit's own status where it has one. */
typedef void (*UnitJobDone)(int result, const char *why, void *userdata);

typedef struct UnitJob UnitJob;
/* method: StartUnit or RestartUnit; limit_usec: for all of it. 0 or negative errno. */
int unit_job_new(sd_bus *bus, const char *method, const char *unit, uint64_t limit_usec, UnitJobDone done,
        void *userdata, UnitJob **ret);
/* The job goes on; nobody is told of its end. May be called in done. */
UnitJob *unit_job_free(UnitJob *job);
DEFINE_CLEANUP(UnitJob *, unit_job_free);

/* Has a unit stopped. That this is refused is logged. */
void unit_stop(sd_bus *bus, const char *unit);
/* Sets its share of the processors, CPUWeight= of systemd.resource-control(5), until the host starts anew.
 */
void unit_set_cpu_weight(sd_bus *bus, const char *unit, uint64_t weight);

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

/* Asks for a property of a service's; the reply is a variant. 0 or negative errno. */
int unit_get_property(sd_bus *bus, const char *unit, const char *property, sd_bus_message_handler_t done,
        void *userdata, sd_bus_slot **ret);
