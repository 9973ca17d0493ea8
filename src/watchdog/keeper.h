/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The keeper of one machine: feeds the state machine (machine.h) from the links, the heartbeat and the
 * backend, and does what it says.
 *
 * Why what follows from a fact is not done where the fact comes in. It comes in by a call from the link, the
 * pulse or the backend, and what follows may be to stop that very link. And one accident is several facts
 * within a moment: they are judged together, when all are there, or each would be answered by a revert of
 * its own. So a callback notes the fact and asks for keeper_update(), which is called from the loop, from
 * nowhere deeper.
 *
 * keeper_update() goes on until machine_step() wants nothing more. It ends, because every step takes away
 * what it was wanted for: a revocation the leases, a reset the reason, or it makes the machine wait.
 *
 * Why the state is saved before a reset is begun. A watchdog that dies in the middle must not leave a guest
 * that its successor takes for a good one. That the reason is on the disk first makes every point at which
 * it can die a safe one: at worst a machine is reverted twice. What cannot be saved is not begun.
 *
 * Why link and pulse are stopped before a revert, and not by it. libvirt closes them in the course of it,
 * and a connection that breaks means a fault everywhere else.
 *
 * Why it looks at the backend at all, which has events. Events are lost with the connection to libvirt, and
 * nobody says how many; and that somebody else has reverted the domain shows in the number of its run alone.
 * The look is the truth, an event is only a reason to look sooner.
 *
 * A call of an operator's is answered when it is known what becomes of it, and that something is in the way
 * is known at once: nobody waits for a libvirt that may be away for hours. The revert stays due all the
 * same. */

#include <systemd/sd-bus.h>

#include "watchdog/asker.h"
#include "watchdog/backend.h"
#include "watchdog/machine-view.h"
#include "watchdog/transport/link.h"

typedef struct Keeper Keeper;

typedef struct KeeperHooks {
        /* Something changed: keeper_update() is to be called soon, from the loop. */
        void (*changed)(Keeper *keeper, void *userdata);
        /* Its state is one that may not last until then: whoever is told of it is told now. */
        void (*shown)(Keeper *keeper, void *userdata);
        /* All its leases are taken back, before it returns. */
        void (*revoke)(Keeper *keeper, Outcome outcome, void *userdata);
        /* Has what must survive the watchdog written, before it returns. 0 or negative errno. */
        int (*save)(Keeper *keeper, void *userdata);
        void *userdata;
} KeeperHooks;

/* config is copied. driver: NULL if the machine has no backend; it must outlive the keeper. known: what was
 * saved of it; generation: the first one, where that has none. */
int keeper_new(sd_event *event, const MachineConfig *config, BackendDriver *driver,
        const SavedMachine *known, uint64_t generation, const KeeperHooks *hooks, Keeper **ret);
/* No lease may be left. */
Keeper *keeper_free(Keeper *keeper);
DEFINE_CLEANUP(Keeper *, keeper_free);

/* True if its guest has had its time. It is reverted when nobody uses it, or serves on for a while if it is
 * said that it is needed, which is to be said before keeper_update(). */
bool keeper_is_worn(const Keeper *keeper);
void keeper_set_needed(Keeper *keeper, bool needed);
/* Does all that follows from what is known now. */
void keeper_update(Keeper *keeper);

/* Its own copy, which is as it was when the keeper was made. */
const MachineConfig *keeper_config(const Keeper *keeper);
/* What others may see of it now; the strings are borrowed, see machine-view.h. */
MachineView keeper_view(Keeper *keeper);
/* The machine is being reset, or its snapshot taken. */
bool keeper_is_at_work(const Keeper *keeper);
/* It is not, and nobody leases it. */
bool keeper_is_idle(const Keeper *keeper);

/* ---- for whoever leases it ---- */

/* True if a lease may begin now (for an operator also of a drained machine); an answer of the agent may have
 * to be asked for first. */
bool keeper_can_lease(const Keeper *keeper, bool is_operator);
bool keeper_is_fresh(const Keeper *keeper);
/* How many use it now. */
unsigned keeper_leases(const Keeper *keeper);
/* Has the agent asked again, since somebody waits for the machine. */
void keeper_prove(Keeper *keeper);
/* What waiting for it promises; true if nothing is going on that could make it usable soon. */
Prospect keeper_prospect(const Keeper *keeper);
bool keeper_is_hopeless(const Keeper *keeper, bool is_operator);
/* So many wait for it. */
void keeper_set_waiting(Keeper *keeper, size_t waiting);

/* Begins a lease: done gets its descriptor, see strand_new(). 0 or negative errno. */
int keeper_lease(Keeper *keeper, StrandDone done, void *userdata, Strand **ret);
/* No descriptor came: the way is not to be trusted. */
void keeper_disprove(Keeper *keeper);
/* Ends a lease, whose strand is closed. user: who could use it; NULL: nobody could yet. True if he brought a
 * revert about, see machine_release(). */
bool keeper_release(Keeper *keeper, const Asker *user, Outcome outcome);
/* Has all that must survive the watchdog written. 0 or negative errno. */
int keeper_save(Keeper *keeper);

/* ---- for operators ---- */

/* A revert is due; the call is answered at its end. 0, or -EBUSY when too many wait. */
int keeper_revert(Keeper *keeper, RevertReason reason, sd_bus_message *call);
/* Replaces the snapshot by one that was tried; the call is answered at its end. 0, -EBUSY (leased, being
 * reverted, or not ready), or -EOPNOTSUPP (no backend). */
int keeper_snapshot(Keeper *keeper, sd_bus_message *call);
/* 0, or a negative errno when that cannot be saved: then it stays as it was. */
int keeper_drain(Keeper *keeper, bool drain);
/* Those who wait for a revert or a snapshot are told that nobody brings it to an end. */
void keeper_give_up(Keeper *keeper);
/* A connection has left the bus: its calls are not answered. */
void keeper_sender_gone(Keeper *keeper, const char *sender);
