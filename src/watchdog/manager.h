/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Owns the configuration, the machines and the desk where they are leased, and has their state saved. */

#include "watchdog/desk.h"
#include "watchdog/offenders.h"
#include "watchdog/roster.h"

typedef struct Manager Manager;

/* Takes the configuration over. run_fd is borrowed. */
int manager_new(sd_event *event, sd_bus *bus, Config *config, int run_fd, Manager **ret);
Manager *manager_free(Manager *manager);
DEFINE_CLEANUP(Manager *, manager_free);
/* The service has its name on the bus: the machines are looked after. */
void manager_start(Manager *manager);
/* Reads the configuration again. A mistake is logged, and returned with the old configuration kept; *errors
 * gets one line a mistake. */
int manager_reload(Manager *manager, Text *errors);
/* Leases get this long to finish when the service ends; the unit's TimeoutStopSec= is a little longer. */
#define MANAGER_STOP_USEC (15 * USEC_PER_SEC)
/* Lets running leases finish, takes no new ones, then ends the loop. The second call does not wait. */
void manager_stop(Manager *manager);
bool manager_is_stopping(const Manager *manager);

const Config *manager_config(const Manager *manager);
Roster *manager_roster(const Manager *manager);
Desk *manager_desk(const Manager *manager);
/* Somebody asks for a machine: for how many usec he is refused, since his requests brought about too many
 * reverts; 0: he is not. The first time is logged. */
uint64_t manager_refuse(Manager *manager, const Asker *asker);
/* Those who would be refused now, see offenders_next(). */
bool manager_next_refused(const Manager *manager, size_t *at, OffenderView *ret);
/* A connection has left the bus: nothing of it is waited for any more. */
void manager_sender_gone(Manager *manager, const char *sender);
