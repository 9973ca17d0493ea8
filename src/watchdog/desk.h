/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who waits for a machine and who has one: from the queue to a descriptor, and back. A lease belongs to the
 * connection on the bus that asked for it, and ends with it.
 *
 * Why it is the connection's. The bus tells of the end of a process however it dies, at once and without the
 * process's help; a client that had to say that it lives would be believed dead when it is slow, and alive
 * when it hangs. For one that hangs there is the deadline. The client's word, Release(), only says how it
 * went.
 *
 * A lease is waiting, being made, granted, and over. While it is made it counts for the machine, or that
 * would be given twice, and its waiter keeps its place: when the way to the guest breaks just then it is
 * back where it was, before those who came later, for nothing of it was its fault. Once granted, the waiter
 * stays on the queue's other list, since whose turn it is depends on who has one.
 *
 * Why it is written down before it is granted. If this process dies in between, its successor either knows
 * of a lease that nobody has had, and reverts a guest for nothing, or does not know of one that somebody
 * has, and gives a stranger's guest to the next. The first costs seconds, so the order is: save, then
 * answer.
 *
 * Why "clean" is not always believed. The client cannot see whether the last bytes of its request reached
 * the guest. Where they did not, the guest waits for the rest, and would take the next request for it.
 *
 * Why there is an empty id. A call can be granted while its answer is on the way to somebody who has stopped
 * waiting: he does not know the id, and still has to be able to give it back unused. */

#include "watchdog/asker.h"
#include "watchdog/keeper.h"

/* A client that keeps its lease longer than its time limit and this is taken for dead. */
#define LEASE_OVERTIME_USEC (5 * USEC_PER_SEC)
/* The time limit of an operator, who may be the first to start a compiler. */
#define LEASE_OPERATOR_USEC (120 * USEC_PER_SEC)
#define LEASE_WAIT_DEFAULT_USEC (15 * USEC_PER_SEC)
#define LEASE_WAIT_MAX_USEC (300 * USEC_PER_SEC)

typedef struct DeskHooks {
        /* The machine of that name; NULL: there is none now. */
        Keeper *(*find)(const char *name, void *userdata);
        /* True if there is one, or will be soon. */
        bool (*is_expected)(const char *name, void *userdata);
        /* Somebody came, or somebody's turn may have: desk_serve() and desk_expire() are to be called soon.
         */
        void (*changed)(void *userdata);
        /* A lease ended: what must survive the watchdog is to be written soon. */
        void (*unsaved)(void *userdata);
        /* His request brought a revert about. */
        void (*reverted)(const Asker *asker, void *userdata);
        void *userdata;
} DeskHooks;

typedef struct Desk Desk;
int desk_new(sd_event *event, const DeskHooks *hooks, Desk **ret);
/* No lease may be left, and nobody who waits. */
Desk *desk_free(Desk *desk);
DEFINE_CLEANUP(Desk *, desk_free);

/* Queues a call of Lease(). wanted: the machine or alias; machines: what it stands for; queue_max: so many
 * may wait for each. *asker is emptied. 0, -EBUSY (the queue is full) or -ENOMEM. */
int desk_request(Desk *desk, sd_bus_message *call, const char *wanted, const char *const *machines,
        uint64_t wait_usec, size_t queue_max, Asker *asker);
/* Serves those whose turn it is at the machine, as far as it is free: from it, or from a better one of the
 * same pool (one that has proven itself already, then one that fewer use, then the one that is named first).
 */
void desk_serve(Desk *desk, Keeper *keeper);
/* Tells those who have waited in vain. */
void desk_expire(Desk *desk);
/* When somebody will have; USEC_INFINITY if nobody waits. */
uint64_t desk_deadline(const Desk *desk);
/* How many wait for the machine of that name. */
size_t desk_waiting(const Desk *desk, const char *name);

/* Ends a lease; an empty id stands for all that the sender waits for, or was granted without knowing it yet,
 * and has not used. 0, or -ENOENT if that sender has no such lease. */
int desk_release(Desk *desk, const char *sender, const char *id, Outcome outcome);
/* Takes all leases of a machine back. */
void desk_revoke(Desk *desk, const Keeper *keeper, Outcome outcome);
/* A connection has left the bus: its calls leave the queue, its leases are abandoned. */
void desk_sender_gone(Desk *desk, const char *sender);
/* Tells everybody in the queue that the service ends. */
void desk_refuse_all(Desk *desk);

/* True if somebody has a machine, or is about to get one; who waits does not count. */
bool desk_has_leases(const Desk *desk);
/* The leases, for the state file; an array to be freed, its strings are borrowed. 0 or -ENOMEM. */
int desk_record(const Desk *desk, SavedLease **ret, size_t *ret_n);
