/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of a keeper share: keeper.c, which uses the others, keeper-look.c (what its backend says),
 * keeper-report.c (what is told before a revert), keeper-snapshot.c (replacing its snapshot), keeper-stale.c
 * (a snapshot from before an upgrade) and keeper-view.c (what others see of it). */

#include <systemd/sd-event.h>

#include "config/machine-config.h"
#include "watchdog/bus/pending-calls.h"
#include "watchdog/idle-cpu.h"
#include "watchdog/keeper.h"
#include "watchdog/machine-log.h"
#include "watchdog/transport/pulse.h"

typedef enum SnapshotPhase {
        SNAPSHOT_IDLE,
        SNAPSHOT_TAKING,
        SNAPSHOT_TAKEN, /* and is to be tried */
        SNAPSHOT_LOADING,
        SNAPSHOT_PROVING,  /* it was loaded, and the guest is to answer */
        SNAPSHOT_CLEARING, /* all went well: the spare is deleted */
        SNAPSHOT_UNDOING,  /* the one that was taken last is deleted */
} SnapshotPhase;

/* The machine's snapshot while it is replaced. */
typedef struct Replacing {
        SnapshotPhase phase;
        SnapshotChoice choice;  /* what is taken and tried: first the spare, then the proper one */
        bool proven;            /* the spare was */
        bool interrupted;       /* nobody waits for it any more */
        uint64_t deadline_usec; /* of SNAPSHOT_PROVING */
        char why[300];          /* it failed */
} Replacing;

/* The machine's snapshot where something else has made it than what is here now. */
typedef struct Stale {
        bool doubted;           /* it is such a one */
        bool told;              /* the journal knows */
        bool works;             /* a guest has answered from it */
        bool failed;            /* none has */
        bool proving;           /* a reset has ended, and its guest is to answer */
        bool boots;             /* the next reset boots cold */
        bool booted;            /* the last one has */
        bool taking;            /* its new snapshot is taken */
        uint64_t snapshot_usec; /* which snapshot all that is about: when it was taken */
        uint64_t quiet_usec;    /* since when nobody needs the machine; 0: somebody does */
        char here[160];         /* what is here now */
} Stale;

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
        unsigned place;              /* where its guest is, see backend.h */
        bool look_passing;           /* the last look was at somebody's revert */

        IdleCpu cpu;
        Hour hour;
        uint64_t counted[_HOUR_COUNT_MAX]; /* of this keeper, what is in the hour already */
        uint64_t memory_bytes;             /* that its guest has, at the last look; 0: not known */
        Asker user;                        /* the last one, or who brought about the revert that is due */
        bool blamed;                       /* the latter */

        uint64_t last_revert_usec; /* CLOCK_REALTIME; 0: none yet */
        uint64_t snapshot_usec;    /* when the snapshot in force was taken, CLOCK_REALTIME; 0: not known */
        char snapshot_made_by[160];
        uint64_t reset_begun_usec; /* CLOCK_MONOTONIC */
        char last_error[200];      /* the backend's, of the last revert that failed */
        char trouble[300];         /* why the backend is away, "" if it is not, or says nothing */
        char reason[640];          /* why it is in its state, composed of those and two more texts */
        size_t waiting;            /* for a lease */
        GuestKind guest;           /* as it was at the last beat that was news */

        PendingCalls revert_calls;
        PendingCalls snapshot_calls; /* one at most */
        Replacing replacing;
        Stale stale;
};

#define keeper_log(keeper, priority, id, ...) machine_log((keeper)->config->name, priority, id, __VA_ARGS__)

static inline void keeper_changed(Keeper *keeper) {
        keeper->hooks.changed(keeper, keeper->hooks.userdata);
}

static inline void keeper_revoke(Keeper *keeper, Outcome outcome) {
        keeper->hooks.revoke(keeper, outcome, keeper->hooks.userdata);
}

/* Puts into the hour what has happened since. */
void keeper_count(Keeper *keeper, uint64_t now_usec);
/* Tells the journal why it is reverted, and what is known of its guest: first what that told last of its own
 * journal. */
void keeper_report(const Keeper *keeper);
/* Since the last beat; USEC_INFINITY when there was none in this generation. */
uint64_t keeper_beat_age(const Keeper *keeper);

/* The kind of the guest as far as it is known. */
static inline GuestKind keeper_guest(const Keeper *keeper) {
        return pulse_heartbeat(keeper->pulse)->kind;
}

/* The hook of the backend's take() and drop(); userdata is the keeper. */
void keeper_snapshots_changed(int result, const char *message, void *userdata);
/* True if the machine is to be reverted to a snapshot that was just taken: it is due. */
bool keeper_snapshot_try(Keeper *keeper, SnapshotChoice *ret);
/* A revert has ended, maybe that one. message: the backend's. */
void keeper_snapshot_loaded(Keeper *keeper, ResetResult result, const char *message);
/* Looks whether the guest has proven its new snapshot, or will not. */
void keeper_snapshot_update(Keeper *keeper, uint64_t now_usec);
uint64_t keeper_snapshot_deadline(const Keeper *keeper);
/* Who waited for it may be gone: what can still be undone is. */
void keeper_snapshot_interrupt(Keeper *keeper);
/* See keeper_give_up(). */
void keeper_snapshot_give_up(Keeper *keeper);
/* What is done, for people; "" if nothing is. */
const char *keeper_snapshot_words(const Keeper *keeper);

/* The backend has looked, maybe at the snapshot. */
void keeper_stale_looked(Keeper *keeper, const BackendLook *look);
/* True if a reset is to be a cold boot. */
bool keeper_stale_boots(const Keeper *keeper);
/* True while such a boot is to come up. */
bool keeper_stale_is_booting(const Keeper *keeper);
/* A reset has ended. */
void keeper_stale_reset_ended(Keeper *keeper, ResetResult result, uint64_t now_usec);
/* Looks whether its guest answers, and whether it is time for a trial. */
void keeper_stale_update(Keeper *keeper, uint64_t now_usec);
uint64_t keeper_stale_deadline(const Keeper *keeper);

/* Asks the backend now and then; the answers come in by the hook. */
int keeper_look_setup(Keeper *keeper, sd_event *event);
/* Looks again after the period that fits what is known now, or sooner if that was set already. */
void keeper_look_soon(Keeper *keeper, uint64_t now_usec);
/* The hook of the backend's looks; userdata is the keeper. */
void keeper_looked(const BackendLook *look, void *userdata);
