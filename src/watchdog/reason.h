/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why machines are reverted, how leases end, and what the one has to do with the other. */

#include "common/macro.h"
#include "config/config.h"

/* What follows from each, and its words, are in one table: reason.c. */
typedef enum RevertReason {
        REVERT_NONE,
        /* The guest itself seems dead. */
        REVERT_HEARTBEAT,
        REVERT_STOPPED,
        REVERT_CRASHED,
        REVERT_PAUSED,
        REVERT_SILENT,
        REVERT_UNSTARTED,
        /* The guest cannot be trusted, or has had its time. */
        REVERT_TIMED_OUT,
        REVERT_KILLED,
        REVERT_PROTOCOL,
        REVERT_LOST,
        REVERT_UNSENT,
        REVERT_RESTARTED,
        REVERT_REBOOTED,
        REVERT_ABANDONED,
        REVERT_UNCLEAN, /* the watchdog found it so when it started */
        REVERT_CPU,
        REVERT_POLICY,
        REVERT_AGE,
        REVERT_USED,
        REVERT_OPERATOR,
        REVERT_TRIAL,
        _REVERT_REASON_MAX,
} RevertReason;
/* For people: "the heartbeat stopped". */
const char *revert_reason_to_string(RevertReason reason);
/* For the state file: "heartbeat". */
const char *revert_reason_to_name(RevertReason reason);
int revert_reason_from_name(const char *name); /* a RevertReason or -EINVAL */

/* It is about the guest's life, not about what was done in it: void when the guest is seen alive before the
 * revert happens. */
bool revert_reason_is_void_when_alive(RevertReason reason);
/* It is about a job: the guest goes on, and others' jobs in it may end. */
bool revert_reason_is_patient(RevertReason reason);
/* What a job does can bring it about. */
bool revert_reason_is_of_a_job(RevertReason reason);

typedef enum Outcome {
        OUTCOME_CLEAN,
        OUTCOME_TIMED_OUT,
        OUTCOME_CONTAINED, /* a limit ended the job, or it killed itself, and nothing of it is left */
        OUTCOME_KILLED,
        OUTCOME_PROTOCOL_ERROR,
        OUTCOME_LOST,
        OUTCOME_UNSENT, /* the connection was dead before a request had gone over it */
        OUTCOME_ABANDONED,
        OUTCOME_OVERTAKEN, /* somebody else reverted the guest meanwhile: no client says so */
        _OUTCOME_MAX,
} Outcome;
const char *outcome_to_string(Outcome outcome);
/* For programs: one word. */
const char *outcome_to_name(Outcome outcome);
/* What a client may say of its lease: an Outcome or -EINVAL. */
int outcome_from_string(const char *string);
/* Why a machine of that policy is reverted after it; REVERT_NONE: it is not. */
RevertReason outcome_reason(Outcome outcome, RevertPolicy policy);
