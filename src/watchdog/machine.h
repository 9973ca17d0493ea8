/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is known of one machine, and what has to be done about it. No I/O and no clock: facts come in, with
 * the time; machine_state(), machine_step() and machine_deadline() follow from them alone. All times are
 * CLOCK_MONOTONIC in usec.
 *
 * Why no state is kept. The same accident is told by beats, by the connection and by libvirt, each in its
 * own time and in any order, some of them not at all. Transitions from state to state would have to be right
 * for every order. Facts can be set in any order and more than once, the state is a function of them, and
 * two orders of the same facts cannot end in different states.
 *
 * Why there are generations. A revert makes all that is known of the guest untrue at once, and what was
 * under way then still arrives. It belongs to a number that is over, so nobody has to think of what might
 * come late. No number comes twice, not even when the state file is lost: they begin with the time of day.
 *
 * Why there are two kinds of reasons. "It seems dead" is disproved when it is seen alive, and a guest that
 * was only slow is not thrown away. "It cannot be trusted" is not disproved by anything that it does, since
 * a guest that somebody else has taken over answers as well as any. So a machine that is condemned for the
 * first is still tainted by the second, whichever came first, while people are told of what came first.
 *
 * Why other leases are spared for some. What a job did wrong, a job that lies in its own cgroup, takes
 * nothing from those that run beside it, and they were promised their time. A guest that is dead or hostile
 * has no time to give: a short grace, for what was about to be answered, and it goes.
 *
 * Why alive needs all three. The agent answers a probe from a guest whose heartbeat hangs; beats come from a
 * guest whose agent is stuck; both come from one that libvirt is about to stop. After a revert the answer
 * comes before the first beat, and is worth more, so it makes up for the beat for a while; not where the
 * beat was why it was reverted, or a guest that never beats would be taken for cured each time.
 *
 * Why it comes to an end. Whatever is not alive has a moment at which it is condemned, whatever is
 * condemned one at which it is reset, and a reset that did not help is followed by a longer pause:
 * machine_deadline() is that moment. Where a person has to do something (a snapshot is missing, libvirt
 * is away, a guest without a domain is off) no time would help; it waits for that fact, and does not
 * count it as a failure. */

#include "common/macro.h"
#include "config/config.h"
#include "watchdog/reason.h"

/* Other leases get this long to finish when the guest itself must be reverted; where only what a job left
 * behind is to go, they have the time limit that they were promised. */
#define MACHINE_GRACE_USEC (2 * USEC_PER_SEC)
/* An answer as recent as this proves that the guest works; an older one is asked for again before a lease.
 */
#define MACHINE_FRESH_USEC (5 * USEC_PER_SEC)
/* A guest that was reverted answers within 2 s even without KVM; one that boots needs up to 34 s. */
#define MACHINE_SETTLE_USEC (20 * USEC_PER_SEC)
#define MACHINE_BOOT_USEC (60 * USEC_PER_SEC)
#define MACHINE_BACKOFF_MAX_USEC (60 * USEC_PER_SEC)
/* The first beat after a revert may take as long as a beat's loss; the agent's answer to a probe proves
 * more. */
#define MACHINE_EXCUSE_USEC (6500 * USEC_PER_MSEC)
/* A pause to write its memory that takes longer than this is one for good. */
#define MACHINE_SAVING_USEC (120 * USEC_PER_SEC)
/* A guest that has had its time serves on for so long at most where nobody else of its pool could, and asks
 * again so often. */
#define MACHINE_WORN_USEC (60 * USEC_PER_SEC)
#define MACHINE_WORN_AGAIN_USEC (1 * USEC_PER_SEC)
/* A machine that nobody brings up is given up after this long: whoever waits for it is told so. */
#define MACHINE_HOPELESS_USEC (2 * USEC_PER_SEC)

typedef enum MachineState {
        MACHINE_OFFLINE,
        MACHINE_STARTING,
        MACHINE_READY,
        MACHINE_BUSY,
        MACHINE_REVERTING,
        MACHINE_FAILED,
        MACHINE_DRAINED,
        _MACHINE_STATE_MAX,
} MachineState;
const char *machine_state_to_string(MachineState state);

/* The way to the agent. */
typedef enum LinkFact {
        LINK_DOWN,    /* not tried yet, or just lost */
        LINK_REFUSED, /* nobody accepts a connection */
        LINK_SILENT,  /* connected, no answer to a probe */
        LINK_PROVEN,  /* the agent answered */
} LinkFact;
const char *link_fact_to_string(LinkFact fact); /* "down", "refused", "silent", "proven" */

typedef enum PulseFact {
        PULSE_NONE, /* the machine has no heartbeat */
        PULSE_REFUSED,
        PULSE_WAITING, /* connected, no beat yet in this generation */
        PULSE_BEATING,
        PULSE_LOST,
} PulseFact;

/* What the backend says of its run. */
typedef enum RunFact {
        RUN_UNKNOWN, /* it has no backend, or that is away: what the links say counts */
        RUN_RUNNING,
        RUN_SAVING, /* paused while its memory is written (snapshot, save, dump, migration): no fault */
        RUN_OFF,
        RUN_PAUSED,
        RUN_CRASHED,
        RUN_MISSING, /* the backend knows no such machine */
} RunFact;
const char *run_fact_to_string(RunFact fact); /* "unknown", "running" ... "missing" */

/* Whether the backend could revert it. */
typedef enum WayBack {
        WAY_UNKNOWN, /* not looked at yet */
        WAY_OPEN,
        WAY_AWAY,
        WAY_REFUSED, /* the backend is there, and refuses */
        WAY_NO_MACHINE,
        WAY_NO_SNAPSHOT,
        _WAY_BACK_MAX,
} WayBack;

typedef struct Machine {
        /* Settings. */
        RevertPolicy policy;
        const char *const *obstacles; /* NULL: no backend */
        bool has_pulse;
        uint64_t max_age_usec; /* 0: none */
        uint64_t max_requests; /* 0: none */

        /* Facts. */
        uint64_t generation;
        uint64_t born_usec;  /* when the generation began */
        uint64_t served;     /* leases in it */
        RevertReason worn;   /* the guest has had its time: it is reverted when nobody has it */
        uint64_t worn_usec;  /* since when; 0: it has not */
        bool needed;         /* of its pool nobody else is ready: then it serves on for a while */
        uint64_t again_usec; /* when that is looked at again; 0: it does not */
        LinkFact link;
        PulseFact pulse;
        RunFact run;
        uint64_t run_usec; /* since when */
        WayBack way;
        unsigned slots; /* leases at once */
        unsigned leases;
        bool drained; /* by an operator, who may have worked in the guest: the policy does not revert it */
        bool held;    /* while our snapshot of it is taken: nobody leases it, and it need not live */
        uint64_t proven_usec;  /* the last answer; 0: none in this generation */
        uint64_t unwell_usec;  /* since when it is not alive; 0: it is */
        uint64_t offline_usec; /* since when nobody accepts a connection; 0: somebody does */
        uint64_t excused_usec; /* until then an answer makes up for the first beat; 0: it does not */
        uint64_t settle_usec;  /* how long it may be unwell before it is reverted */

        /* A revert that is due, or runs. */
        RevertReason due;
        bool tainted; /* no sign of life makes it void */
        uint64_t due_usec;
        unsigned due_leases; /* how many had it then */
        RevertReason urgent; /* one for which other leases are not waited for; REVERT_NONE: they are */
        uint64_t urgent_usec;
        bool resetting;
        unsigned failures;   /* resets in a row after which it was not alive once */
        uint64_t retry_usec; /* not before */

        /* Counters. */
        uint64_t requests;
        uint64_t reverts;
        uint64_t revert_failures;
        uint64_t reverts_by[_REVERT_REASON_MAX]; /* those that were done, by why */
        uint64_t ended[_OUTCOME_MAX];            /* leases, by how */
        RevertReason last_reason;
} Machine;

typedef enum MachineStep {
        MACHINE_STEP_NONE,
        MACHINE_STEP_REVOKE, /* take all leases back, and ask again */
        MACHINE_STEP_RESET,  /* revert (machine_reverts()), or close, reconnect and probe */
} MachineStep;

typedef enum ResetResult {
        RESET_DONE,
        RESET_FAILED,
        RESET_IMPOSSIBLE, /* the backend is away, or the machine or its snapshot is missing: see way */
} ResetResult;

/* A machine of which nothing is known yet. obstacles: what each WayBack is in its backend's words, kept;
 * NULL: it has no backend. */
void machine_init(Machine *machine, const MachineConfig *config, const char *const *obstacles,
        uint64_t generation, uint64_t now_usec);

void machine_set_link(Machine *machine, LinkFact link, uint64_t now_usec);
/* Something came from the agent unasked, maybe a part of an old reply: it is asked before the next lease. */
void machine_doubt(Machine *machine);
/* Something went wrong on the way to it: it is asked before the next lease, and now. */
void machine_disprove(Machine *machine);
void machine_set_pulse(Machine *machine, PulseFact pulse, uint64_t now_usec);
void machine_set_run(Machine *machine, RunFact run, uint64_t now_usec);
void machine_set_way(Machine *machine, WayBack way);
/* What was known of it before the watchdog was started again: it ran, and unless a revert is due its agent's
 * answer makes up for the first beat. */
void machine_recall(Machine *machine, bool drained, RevertReason due, uint64_t now_usec);
/* So many resets in a row have failed before, and the next one had to wait until then; no longer, though,
 * than one of its kind waits. */
void machine_recall_failures(Machine *machine, unsigned failures, uint64_t retry_usec, uint64_t now_usec);
/* Its guest is so old, and has served so many; 0: not known. */
void machine_recall_age(Machine *machine, uint64_t born_usec, uint64_t served, uint64_t now_usec);
/* It was started or reverted by somebody else: a new generation that may have to boot. */
void machine_restarted(Machine *machine, uint64_t now_usec);
/* A revert becomes due. The first reason is the one that is told; it is void no more once there is one of
 * the other kind. */
void machine_condemn(Machine *machine, RevertReason reason, uint64_t now_usec);
/* True if the guest has had its time: then whoever knows says before machine_tick() whether it is needed. */
bool machine_is_worn(const Machine *machine, uint64_t now_usec);
/* Looks at the clock: a machine that does not become alive in time is condemned. */
void machine_tick(Machine *machine, uint64_t now_usec);

/* Why it has to be reverted, as what comes after us must know it: a heartbeat that stopped may beat again by
 * then; what else was done must not be forgotten. */
RevertReason machine_owed(const Machine *machine);

/* True if a lease may begin now (for an operator also of a drained machine); an answer of the agent may have
 * to be asked for first. */
bool machine_can_lease(const Machine *machine, bool is_operator);
bool machine_is_fresh(const Machine *machine, uint64_t now_usec);
/* True if it is worth a snapshot now: alive, free, nothing due; an operator may have drained it. */
bool machine_can_snapshot(const Machine *machine);
/* True if it is ready, and neither an operator nor whoever writes its memory down does anything with it. */
bool machine_is_idle(const Machine *machine);
/* It is drained no more: the policy counts again. */
void machine_resume(Machine *machine, uint64_t now_usec);
/* True if its guest is alive and need not be reverted. */
bool machine_is_well(const Machine *machine);
/* Our snapshot of it is taken, for as long as that takes: it may be paused and its guest silent. */
void machine_hold(Machine *machine);
void machine_unhold(Machine *machine, uint64_t now_usec);
void machine_lease(Machine *machine);
/* A lease ended before anybody could use it. */
void machine_unlease(Machine *machine);
/* A lease ended; the policy says what follows. True if it brought a revert about: by its outcome, or since
 * it alone had the guest when that died of what jobs can do. */
bool machine_release(Machine *machine, Outcome outcome, uint64_t now_usec);

/* The reset that has just ended was a cold boot, which takes longer. */
void machine_booted(Machine *machine, uint64_t now_usec);

MachineStep machine_step(const Machine *machine, uint64_t now_usec);
/* A reset that is due does not begin before then. */
void machine_postpone(Machine *machine, uint64_t until_usec);
/* True if a reset means a revert by the backend. */
bool machine_reverts(const Machine *machine);
/* Begins what MACHINE_STEP_RESET asks for: a new generation. realtime_sec: seconds since 1970, below which
 * no generation lies, so that none comes twice even when the state file is lost. */
void machine_reset_begin(Machine *machine, uint64_t realtime_sec);
void machine_reset_end(Machine *machine, ResetResult result, uint64_t now_usec);

MachineState machine_state(const Machine *machine);
/* Why it is in that state, for people; "" if there is nothing to say. */
const char *machine_state_reason(const Machine *machine);
/* Why a revert that is due does not happen; "" if it does. */
const char *machine_obstacle(const Machine *machine);
/* True if nothing is going on that could make it usable soon. */
bool machine_is_hopeless(const Machine *machine, bool is_operator, uint64_t now_usec);
/* What somebody has to hope for who waits for it; the last is the best. */
typedef enum Prospect {
        PROSPECT_OFFLINE,
        PROSPECT_RESETTING,
        PROSPECT_BUSY,
} Prospect;
Prospect machine_prospect(const Machine *machine);
/* When machine_tick() or machine_step() may say something new; USEC_INFINITY: not by time alone. */
uint64_t machine_deadline(const Machine *machine);
