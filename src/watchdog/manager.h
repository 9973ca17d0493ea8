/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Owns the event loop's sources, the bus, the configuration and the keepers of all machines. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "watchdog/keeper.h"
#include "watchdog/queue.h"

typedef struct Gate Gate;
typedef struct Health Health;
typedef struct Lease Lease;

struct Manager {
        sd_event *event;
        sd_bus *bus;
        Config *config;
        int run_fd;   /* the runtime directory */
        bool started; /* it has its name on the bus */
        bool stopping;

        Keeper **keepers;
        size_t n_keepers;
        LibvirtThread *libvirt;
        Hypervisor **hypervisors;
        size_t n_hypervisors;
        Hypervisor **retired; /* given up, but not gone yet */
        size_t n_retired;

        Queue queue;
        Lease *leases;
        Gate *gate;
        Health *health;
        Keeper *changed; /* those to be looked at */
        bool retiring;   /* a machine waits to be replaced */
        bool unsaved;    /* the state file may not be as it should */
        bool retold;     /* the status may not be */
        char *saved;     /* the state file as it was last written; NULL: that failed */
        bool save_failed;

        sd_event_source *update; /* runs once after whatever changed */
        sd_event_source *queue_timer;
};

/* Takes the configuration over. run_fd is borrowed. */
int manager_new(sd_event *event, sd_bus *bus, Config *config, int run_fd, Manager **ret);
Manager *manager_free(Manager *manager);
DEFINE_CLEANUP(Manager *, manager_free);
/* Puts its objects on the bus, asks for its name and begins to look after the machines. */
int manager_start(Manager *manager);
/* Reads the configuration again. A mistake is logged, and returned with the old configuration kept; *errors
 * gets one line a mistake. */
int manager_reload(Manager *manager, Text *errors);
/* Leases get this long to finish when the service ends; the unit's TimeoutStopSec= is a little longer. */
#define MANAGER_STOP_USEC (15 * USEC_PER_SEC)
/* Lets running leases finish, takes no new ones, then ends the loop. The second call does not wait. */
void manager_stop(Manager *manager);

/* Something changed: what follows from it for leases is done soon, once, from the loop. */
void manager_poke(Manager *manager);
/* Something of the keeper's changed: it is looked at before. */
void manager_changed(Manager *manager, Keeper *keeper);
/* What the state file has of the machines or leases changed. */
void manager_unsaved(Manager *manager);
/* The keeper goes. */
void manager_forget(Manager *manager, Keeper *keeper);
/* Writes the state file, if it is not as it was. 0 or negative errno; the first failure of a row is logged.
 */
int manager_save(Manager *manager);

Keeper *manager_keeper(const Manager *manager, const char *name);
sd_event *manager_event(const Manager *manager);
int manager_run_fd(const Manager *manager);
