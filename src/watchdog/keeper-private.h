/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of a keeper share: keeper.c, which uses the others, keeper-look.c (what its backend says),
 * keeper-report.c (what is told before a revert) and keeper-view.c (what others see of it). */

#include <systemd/sd-event.h>

#include "config/machine-config.h"
#include "watchdog/bus/pending-calls.h"
#include "watchdog/idle-cpu.h"
#include "watchdog/keeper.h"
#include "watchdog/machine-log.h"
#include "watchdog/transport/pulse.h"

struct Keeper {
        KeeperHooks hooks;
        MachineConfig *config;
        Machine machine;
        Link *link;
        Pulse *pulse;
        Backend *backend; /* NULL: none */

        sd_event_source *timer;      /* when the state machine has to be asked again */
        sd_event_source *look_timer; /* when the backend has to be */
        uint64_t look_usec;          /* the same */
        DomainLines lines;           /* what the machine has of its own */
        int run_id;                  /* the run of it that this generation is about; -1: not known */
        bool look_passing;           /* the last look was at somebody's revert */

        IdleCpu cpu;
        uint64_t memory_bytes; /* that its guest has, at the last look; 0: not known */
        Asker user;            /* the last one, or who brought about the revert that is due */
        bool blamed;           /* the latter */

        uint64_t last_revert_usec; /* CLOCK_REALTIME; 0: none yet */
        uint64_t reset_begun_usec; /* CLOCK_MONOTONIC */
        char last_error[200];      /* the backend's, of the last revert that failed */
        char reason[256];          /* why it is in its state, composed */
        size_t waiting;            /* for a lease */
        GuestKind guest;           /* as it was at the last beat that was news */

        PendingCalls revert_calls;
        PendingCalls snapshot_calls; /* one at most */
};

#define keeper_log(keeper, priority, id, ...) machine_log((keeper)->config->name, priority, id, __VA_ARGS__)

static inline void keeper_changed(Keeper *keeper) {
        keeper->hooks.changed(keeper, keeper->hooks.userdata);
}

static inline void keeper_revoke(Keeper *keeper, Outcome outcome) {
        keeper->hooks.revoke(keeper, outcome, keeper->hooks.userdata);
}

/* Tells the journal why it is reverted, and what is known of its guest. */
void keeper_report(const Keeper *keeper);
/* Since the last beat; USEC_INFINITY when there was none in this generation. */
uint64_t keeper_beat_age(const Keeper *keeper);

/* The kind of the guest as far as it is known. */
static inline GuestKind keeper_guest(const Keeper *keeper) {
        return pulse_heartbeat(keeper->pulse)->kind;
}

/* Asks the backend now and then; the answers come in by the hook. */
int keeper_look_setup(Keeper *keeper, sd_event *event);
/* Looks again after the period that fits what is known now, or sooner if that was set already. */
void keeper_look_soon(Keeper *keeper, uint64_t now_usec);
/* The hook of the backend's looks; userdata is the keeper. */
void keeper_looked(const BackendLook *look, void *userdata);
