/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What runs the machines and takes them back to their snapshots: a table of functions, filled by each kind
 * of it (libvirt/driver.h, qemu/driver.h). All of them return at once; what they find out comes through
 * hooks, from the loop. */

#include "config/config.h"
#include "watchdog/machine.h"
#include "watchdog/transport/channel-opener.h"
#include "watchdog/transport/domain-lines.h"

/* One machine as its backend sees it. */
typedef struct BackendLook {
        RunFact run;
        WayBack way;
        int id;                /* number of this run of it; -1 when it is off */
        uint64_t cpu_usec;     /* used by it so far */
        uint64_t memory_bytes; /* that its guest has; 0: not known */
        uint64_t taken_usec;
        DomainLines lines;
        bool snapshot_seen;         /* the two that follow were looked at too */
        uint64_t snapshot_usec;     /* when the one in force was taken, CLOCK_REALTIME; 0: there is none */
        char snapshot_made_by[160]; /* for people; "": not known */
        bool snapshot_stale;        /* that is not what is there now */
        char made_now_by[160];      /* what is, if so; for people */
        const char *message;        /* why it is away or refuses (WAY_AWAY, WAY_REFUSED); not owned */
        bool passing; /* off in the middle of somebody's revert, or so it seems: to be looked at again */
} BackendLook;

/* Which of a machine's snapshots. */
typedef enum SnapshotChoice {
        SNAPSHOT_IN_FORCE, /* the proper one, or the spare if replacing that failed halfway */
        SNAPSHOT_PROPER,   /* the one that is configured */
        SNAPSHOT_SPARE,    /* what a new one is called until it has been tried */
} SnapshotChoice;

/* The guest of a machine since it was last reverted. */
typedef struct BackendGuest {
        unsigned place;           /* where it is, of those that a machine has there */
        const char *data, *heart; /* the sockets of its channels; NULL: as configured. The backend's. */
        int channel; /* a connection to data whose agent has answered, the caller's; -EBADF: there is none */
        bool lanes;  /* that understands lanes */
        bool fresh;  /* it has not run since it answered */
} BackendGuest;

/* What waits for the next revert. */
typedef struct BackendStock {
        unsigned ready;
        uint64_t failures; /* those that were no good */
} BackendStock;

typedef struct BackendHooks {
        /* The answer to look(), to an event of the backend's, or to its coming and going. */
        void (*looked)(const BackendLook *look, void *userdata);
        /* The guest panicked, even if it has been started again by now. */
        void (*crashed)(void *userdata);
        /* The guest boots again: what it was before is gone. */
        void (*rebooted)(void *userdata);
        /* The end of revert(). message: the backend's, "" on success; not owned. */
        void (*reverted)(ResetResult result, const char *message, void *userdata);
        /* The end of take() or drop(): 0, 1 if there was nothing to be done, or a negative errno. message:
         * the backend's, "" on success; not owned. */
        void (*snapshots_changed)(int result, const char *message, void *userdata);
        /* stock() says something else. */
        void (*restocked)(void *userdata);
        void *userdata;
} BackendHooks;

typedef struct BackendVerbs BackendVerbs;

/* One machine of it; the first member of what the backend knows of that machine. */
typedef struct Backend {
        const BackendVerbs *verbs;
        ChannelOpener *opener; /* of its channels, where they are no sockets; NULL: nobody opens them */
} Backend;

/* What it has for all of its machines; the first member of that. */
typedef struct BackendDriver {
        const BackendVerbs *verbs;
} BackendDriver;

struct BackendVerbs {
        const char *const *obstacles; /* in words: see machine_init() */

        /* Begins to look after a machine. The configuration is read only now; the driver must outlive it. 0
         * or negative errno. */
        int (*open)(BackendDriver *driver, const MachineConfig *config, const BackendHooks *hooks,
                Backend **ret);
        /* Asks what it is doing. Looks that are on their way count for nothing once a revert was begun or
         * has ended. */
        void (*look)(Backend *backend);
        /* Begins to revert it to a snapshot, running. 0 or negative errno. */
        int (*revert)(Backend *backend, SnapshotChoice choice);
        /* Begins to boot it cold, whatever it is doing; ends as revert() does. NULL: it cannot. */
        int (*boot)(Backend *backend);
        /* Begins to take one of its present state, in place of the one of that name; no spare is taken where
         * there is no proper one that it could become. 0 or negative errno. */
        int (*take)(Backend *backend, SnapshotChoice choice);
        /* Begins to delete one. 0 or negative errno. */
        int (*drop)(Backend *backend, SnapshotChoice choice);
        /* What is still done for it goes on; no hook is called any more. Its opener is not used any more. */
        void (*free)(Backend *backend);

        /* All NULL where a machine is always in one place. */
        /* Where its guest was when that was last asked, by an earlier process; before anything else. */
        void (*recall)(Backend *backend, unsigned place);
        /* Asked after that, and after each revert. */
        void (*guest)(Backend *backend, BackendGuest *ret);
        BackendStock (*stock)(const Backend *backend);

        /* Both NULL where nothing is kept for several machines that could get stuck, or be given up. */
        /* Calls done once, from the loop, when all that calls go through is known to turn; never if a part
         * of it is stuck. One question at a time. 0 or negative errno. */
        int (*alive)(BackendDriver *driver, void (*done)(void *userdata), void *userdata);
        /* Gives up, in the background, what no machine needs any more. */
        void (*tidy)(BackendDriver *driver);
        /* No machine may be left. */
        void (*end)(BackendDriver *driver);
};
