/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The machines of the configuration: each has a keeper, and what others were last told of it. A machine that
 * the configuration has no more, or otherwise, goes with its last lease, and its successor comes then. */

#include "watchdog/desk.h"
#include "watchdog/keeper.h"

typedef struct RosterHooks {
        /* Something changed: roster_update() is to be called soon, from the loop. */
        void (*changed)(void *userdata);
        /* What is saved of a machine is not as it was. */
        void (*unsaved)(void *userdata);
        /* Has it saved now. 0 or negative errno. */
        int (*save)(void *userdata);
        void *userdata;
} RosterHooks;

typedef struct Roster Roster;
/* The desk must outlive it. */
int roster_new(sd_event *event, sd_bus *bus, Desk *desk, const RosterHooks *hooks, Roster **ret);
/* No lease may be left. */
Roster *roster_free(Roster *roster);
DEFINE_CLEANUP(Roster *, roster_free);

/* Machines of the configuration that are not there yet; one that is still in use the old way has to wait.
 * saved: what is known of them. 0 or a negative errno, logged. */
int roster_add(Roster *roster, const Config *config, const SavedState *saved);
/* The service has its name on the bus: machines that come and go are told of. */
void roster_announce(Roster *roster);
/* The configuration is another one: machines come, go and are replaced. 0 or a negative errno, logged. */
int roster_follow(Roster *roster, const Config *config);
/* Does all that follows from what changed, and has it told; machines that are free to go are replaced. True
 * if the status is another one. */
bool roster_update(Roster *roster, const Config *config);
/* Gives machines to those whose turn it is. */
void roster_serve(Roster *roster);
/* Takes all leases back. */
void roster_revoke_all(Roster *roster);
/* See keeper_give_up(). */
void roster_give_up(Roster *roster);
/* True if no machine is being reset, or its snapshot taken. */
bool roster_is_quiet(const Roster *roster);
void roster_sender_gone(Roster *roster, const char *sender);

/* The machine of that name; NULL: there is none. */
Keeper *roster_keeper(const Roster *roster, const char *name);
/* The machines, one after another; *at is 0 at first. NULL: there are no more. */
Keeper *roster_next(const Roster *roster, size_t *at);
/* For people: as many machines as fit, and how many there are besides. As of the last update. */
void roster_status(const Roster *roster, size_t size_max, Text *text);
/* What must survive the watchdog, of machines that go, too: an array to be freed, its strings are borrowed.
 * 0 or -ENOMEM. */
int roster_record(const Roster *roster, SavedMachine **ret, size_t *ret_n);
/* Calls done once, from the loop, when all that calls of backends go through is known to turn. 0 or negative
 * errno. */
int roster_alive(Roster *roster, void (*done)(void *userdata), void *userdata);
