/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/reason.h"

#include <assert.h>

/* What a reason is about, and what follows. */
typedef enum ReasonFlags {
        /* The guest's life, not what was done in it: void when it is seen alive before the revert happens.
         */
        VOID_WHEN_ALIVE = 1 << 0,
        /* A job: the guest goes on, and others' jobs in it may end. */
        PATIENT = 1 << 1,
        /* What a job does can bring it about. */
        OF_A_JOB = 1 << 2,
} ReasonFlags;

static const struct {
        const char *name;
        const char *text;
        ReasonFlags flags;
} reason_table[_REVERT_REASON_MAX] = {
        [REVERT_NONE] = { "", "", 0 },
        [REVERT_HEARTBEAT] = { "heartbeat", "the heartbeat stopped", VOID_WHEN_ALIVE | OF_A_JOB },
        [REVERT_STOPPED] = { "stopped", "the domain is off", VOID_WHEN_ALIVE },
        [REVERT_CRASHED] = { "crashed", "the guest crashed", VOID_WHEN_ALIVE | OF_A_JOB },
        [REVERT_PAUSED] = { "paused", "the domain is paused", VOID_WHEN_ALIVE },
        [REVERT_SILENT] = { "silent", "the agent does not answer", VOID_WHEN_ALIVE | OF_A_JOB },
        [REVERT_UNSTARTED] = { "unstarted", "the guest did not come up", VOID_WHEN_ALIVE },
        [REVERT_TIMED_OUT] = { "timed-out", "a command timed out", PATIENT | OF_A_JOB },
        [REVERT_KILLED] = { "killed", "a command was killed", PATIENT | OF_A_JOB },
        [REVERT_PROTOCOL] = { "protocol-error", "the guest broke the protocol", OF_A_JOB },
        [REVERT_LOST] = { "lost", "the connection was lost during a request", OF_A_JOB },
        [REVERT_UNSENT] = { "unsent", "the connection was lost before a request", 0 },
        [REVERT_RESTARTED] = { "restarted", "the agent was started again", OF_A_JOB },
        [REVERT_REBOOTED] = { "rebooted", "the guest was booted again", OF_A_JOB },
        [REVERT_ABANDONED] = { "abandoned", "a lease was abandoned", PATIENT | OF_A_JOB },
        [REVERT_UNCLEAN] = { "unclean", "it was in use when the watchdog ended", 0 },
        [REVERT_CPU] = { "cpu", "the idle guest burns CPU", 0 },
        [REVERT_POLICY] = { "policy", "a fresh guest for every request", PATIENT },
        [REVERT_AGE] = { "age", "the guest is as old as it may be", 0 },
        [REVERT_USED] = { "used", "the guest has served as many requests as it may", 0 },
        [REVERT_OPERATOR] = { "operator", "an operator asked", 0 },
        [REVERT_TRIAL] = { "trial", "a snapshot was tried", 0 },
};

static const char *const outcome_table[_OUTCOME_MAX] = {
        [OUTCOME_CLEAN] = "clean",
        [OUTCOME_TIMED_OUT] = "timed-out",
        [OUTCOME_CONTAINED] = "contained",
        [OUTCOME_KILLED] = "killed",
        [OUTCOME_PROTOCOL_ERROR] = "protocol-error",
        [OUTCOME_LOST] = "lost",
        [OUTCOME_UNSENT] = "unsent",
        [OUTCOME_ABANDONED] = "abandoned",
        [OUTCOME_OVERTAKEN] = "the guest was started or reverted by somebody else",
};

static const RevertReason reason_of_outcome[_OUTCOME_MAX] = {
        [OUTCOME_CLEAN] = REVERT_POLICY,
        [OUTCOME_CONTAINED] = REVERT_POLICY,
        [OUTCOME_TIMED_OUT] = REVERT_TIMED_OUT,
        [OUTCOME_KILLED] = REVERT_KILLED,
        [OUTCOME_PROTOCOL_ERROR] = REVERT_PROTOCOL,
        [OUTCOME_LOST] = REVERT_LOST,
        [OUTCOME_UNSENT] = REVERT_UNSENT,
        [OUTCOME_ABANDONED] = REVERT_ABANDONED,
};

const char *revert_reason_to_string(RevertReason reason) {
        assert(reason < _REVERT_REASON_MAX);
        return reason_table[reason].text;
}

const char *revert_reason_to_name(RevertReason reason) {
        assert(reason < _REVERT_REASON_MAX);
        return reason_table[reason].name;
}

int revert_reason_from_name(const char *name) {
        for (size_t i = 0; i < _REVERT_REASON_MAX; i++)
                if (streq(reason_table[i].name, name))
                        return (int)i;
        return -EINVAL;
}

const char *outcome_to_string(Outcome outcome) {
        assert(outcome < _OUTCOME_MAX);
        return outcome_table[outcome];
}

const char *outcome_to_name(Outcome outcome) {
        return outcome == OUTCOME_OVERTAKEN ? "overtaken" : outcome_to_string(outcome);
}

int outcome_from_string(const char *string) {
        for (size_t i = 0; i < OUTCOME_OVERTAKEN; i++)
                if (streq(outcome_table[i], string))
                        return (int)i;
        return -EINVAL;
}

bool revert_reason_is_void_when_alive(RevertReason reason) {
        return reason_table[reason].flags & VOID_WHEN_ALIVE;
}

bool revert_reason_is_of_a_job(RevertReason reason) {
        return reason_table[reason].flags & OF_A_JOB;
}

bool revert_reason_is_patient(RevertReason reason) {
        return reason_table[reason].flags & PATIENT;
}

static bool outcome_reverts(Outcome outcome, RevertPolicy policy) {
        switch (outcome) {
        case OUTCOME_CLEAN:
        case OUTCOME_CONTAINED:
                return policy == POLICY_ALWAYS;
        case OUTCOME_TIMED_OUT:
        case OUTCOME_KILLED:
                return policy != POLICY_ON_HANG;
        case OUTCOME_OVERTAKEN:
                return false;
        default:
                return true;
        }
}

RevertReason outcome_reason(Outcome outcome, RevertPolicy policy) {
        return outcome_reverts(outcome, policy) ? reason_of_outcome[outcome] : REVERT_NONE;
}
