/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What must survive the watchdog: state.json in its runtime directory says of each machine which generation
 * it is in, who leases it, whether a revert is due, and whether an operator drained it. It is replaced as a
 * whole, before a lease is handed out and after one has ended, so that a crash at any moment leaves the
 * truth, or a machine that counts as used and is reverted. */

#include "common/text.h"
#include "watchdog/asker.h"
#include "watchdog/hour.h"
#include "watchdog/machine.h"

typedef struct SavedMachine {
        const char *name;    /* of one that was read: owned */
        uint64_t generation; /* 0: nothing is known of it */
        GuestKind guest;     /* as it was found out */
        bool drained;
        RevertReason due; /* REVERT_NONE if it was free and well */
        /* Of the machine, of the same names; times are CLOCK_MONOTONIC, which outlives the service as this
         * file does. */
        uint64_t failures;
        uint64_t retry_usec;
        uint64_t born_usec;
        uint64_t served;
        uint64_t place; /* of its guest, see backend.h */
        Hour hour;      /* of that clock, too */
        Asker user;     /* of one that was read: who had it, owned; else empty */
} SavedMachine;

/* Who has it. */
typedef struct SavedLease {
        const char *machine, *id, *nick, *channel, *language;
        uint32_t pid;
} SavedLease;

typedef struct SavedState {
        SavedMachine *machines;
        size_t n_machines;
        SavedLease *leases; /* of one that is written */
        size_t n_leases;
        bool broken; /* the file cannot be read: every machine counts as used */
} SavedState;
/* Of one that was read. */
void saved_state_done(SavedState *state);
/* False if one has to be written anew where the other was: what only leases change comes with their records,
 * and the hour, which is another one all the time, with whatever is written. */
bool saved_machine_equal(const SavedMachine *a, const SavedMachine *b);

/* Reads the file below run_fd. One that is not there is an empty state: the system, or the service, was
 * started afresh. 0 or -ENOMEM; a broken one is logged. */
int state_file_read(int run_fd, SavedState *ret);
/* What is to be known of the machine of that name; one of which nothing is known is well. */
SavedMachine saved_machine(const SavedState *state, const char *name);

/* The file's content. 0 or -ENOMEM. */
int state_file_format(const SavedState *state, Text *text);
/* Replaces the file, at once or not at all. 0, -EFBIG (it could not be read again) or another negative
 * errno. */
int state_file_write(int run_fd, const Text *text);
