/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who has which machine: from the queue to a descriptor, and back. A lease belongs to the connection on the
 * bus that asked for it, and ends with it. */

#include "watchdog/manager.h"

/* A client that keeps its lease longer than its time limit and this is taken for dead. */
#define LEASE_OVERTIME_USEC (5 * USEC_PER_SEC)
#define LEASE_WAIT_DEFAULT_USEC (15 * USEC_PER_SEC)
#define LEASE_WAIT_MAX_USEC (300 * USEC_PER_SEC)

typedef struct Asker {
        char *nick;
        char *channel;
        char *language;
        uint32_t pid; /* 0: not known */
} Asker;
void asker_done(Asker *asker);

struct Lease {
        char id[40];
        Keeper *keeper;
        Waiter *waiter; /* its place in the queue, as one that was served */
        char *sender;
        Asker asker;
        sd_bus_message *call; /* until it is granted */
        Strand *strand;
        uint64_t begun_usec; /* 0: not granted yet */
        sd_event_source *deadline;
        Lease *previous, *next;
};

/* Queues a call of Lease(). wanted: the machine or alias; machines: what it stands for. *asker is emptied.
 * 0, -EBUSY (the queue is full) or -ENOMEM. */
int lease_request(Manager *manager, sd_bus_message *call, const char *wanted, const char *const *machines,
        uint64_t wait_usec, Asker *asker);
/* Serves the queue as far as machines are free, and tells those who have waited in vain. */
void lease_dispatch(Manager *manager);
/* Ends a lease; an empty id stands for all that the sender waits for, or was granted without knowing it yet,
 * and has not used. 0, or -ENOENT if that sender has no such lease. */
int lease_release(Manager *manager, const char *sender, const char *id, Outcome outcome);
/* Takes all leases of a machine back. */
void lease_revoke(Keeper *keeper, Outcome outcome);
/* A connection has left the bus: its calls leave the queue, its leases are abandoned. */
void lease_sender_gone(Manager *manager, const char *sender);
/* Tells everybody in the queue that the service ends. */
void lease_refuse_all(Manager *manager);
