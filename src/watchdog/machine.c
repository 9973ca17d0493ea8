/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>

#include "common/io.h"
#include "watchdog/machine-private.h"

static bool run_is_up(RunFact run) {
        return run == RUN_UNKNOWN || run == RUN_RUNNING || run == RUN_SAVING;
}

/* The agent's answer makes up for a first beat that is still to come. */
static bool is_excused(const Machine *machine) {
        return machine->pulse == PULSE_WAITING && machine->link == LINK_PROVEN && machine->excused_usec > 0;
}

bool machine_is_alive(const Machine *machine) {
        return machine->link == LINK_PROVEN && run_is_up(machine->run) &&
               (machine->pulse == PULSE_NONE || machine->pulse == PULSE_BEATING || is_excused(machine));
}

bool machine_is_refused(const Machine *machine) {
        return machine->link == LINK_REFUSED || machine->pulse == PULSE_REFUSED || machine->run == RUN_OFF ||
               machine->run == RUN_MISSING;
}

bool machine_reverts(const Machine *machine) {
        return machine->obstacles && machine->policy != POLICY_NEVER;
}

/* Nothing of the last generation counts any more. */
static void forget_facts(Machine *machine, uint64_t settle_usec, uint64_t now_usec) {
        machine->link = LINK_DOWN;
        machine->pulse = machine->has_pulse ? PULSE_WAITING : PULSE_NONE;
        machine->proven_usec = 0;
        machine->unwell_usec = now_usec;
        machine->offline_usec = 0;
        machine->excused_usec = 0;
        machine->settle_usec = settle_usec;
}

void machine_init(Machine *machine, const MachineConfig *config, const char *const *obstacles,
        uint64_t generation, uint64_t now_usec) {
        *machine = (Machine){
                .policy = config->policy,
                .obstacles = obstacles,
                .has_pulse = config->channel_heart || config->heart_port > 0,
                .max_age_usec = config->max_age_usec,
                .max_requests = config->max_requests,
                .generation = generation,
                .born_usec = now_usec,
                .slots = 1,
        };
        forget_facts(machine, MACHINE_BOOT_USEC, now_usec);
}

/* Keeps what follows from the facts in step with them. */
static void facts_changed(Machine *machine, uint64_t now_usec) {
        if (!machine_is_alive(machine)) {
                if (machine->unwell_usec == 0) {
                        machine->unwell_usec = now_usec;
                        machine->settle_usec = MACHINE_SETTLE_USEC;
                }
        } else {
                machine->unwell_usec = 0;
                if (!machine->tainted && !machine->resetting)
                        machine->due = REVERT_NONE;
                if (revert_reason_is_void_when_alive(machine->urgent))
                        machine->urgent = REVERT_NONE;
                /* One that has to be reverted all the same is no better for being alive. */
                if (machine->due == REVERT_NONE) {
                        machine->failures = 0;
                        machine->retry_usec = 0;
                }
        }

        if (!machine_is_refused(machine))
                machine->offline_usec = 0;
        else if (machine->offline_usec == 0)
                machine->offline_usec = now_usec;
}

void machine_set_link(Machine *machine, LinkFact link, uint64_t now_usec) {
        bool was_proven = machine->link == LINK_PROVEN;

        if (machine->resetting)
                return;
        machine->link = link;
        if (link == LINK_PROVEN)
                machine->proven_usec = now_usec;
        facts_changed(machine, now_usec);

        /* It answered in this generation, it is still connected, and it answers no more. While others use
         * it, it may just be slow: then it has time to settle. */
        if (was_proven && link == LINK_SILENT && machine->leases == 0 && !machine->held)
                machine_condemn(machine, REVERT_SILENT, now_usec);
}

void machine_doubt(Machine *machine) {
        /* Long ago, but not never: nobody has to be asked before somebody waits. */
        machine->proven_usec = MIN(machine->proven_usec, 1u);
}

void machine_set_pulse(Machine *machine, PulseFact pulse, uint64_t now_usec) {
        if (machine->resetting)
                return;
        machine->pulse = pulse;
        facts_changed(machine, now_usec);
        if (pulse == PULSE_LOST && machine->run != RUN_SAVING && !machine->held)
                machine_condemn(machine, REVERT_HEARTBEAT, now_usec);
}

void machine_set_run(Machine *machine, RunFact run, uint64_t now_usec) {
        static const RevertReason reasons[] = {
                [RUN_UNKNOWN] = REVERT_NONE,
                [RUN_RUNNING] = REVERT_NONE,
                [RUN_SAVING] = REVERT_NONE,
                [RUN_OFF] = REVERT_STOPPED,
                [RUN_PAUSED] = REVERT_PAUSED,
                [RUN_CRASHED] = REVERT_CRASHED,
                [RUN_MISSING] = REVERT_STOPPED,
        };

        if (machine->resetting)
                return;
        if (machine->run != run)
                machine->run_usec = now_usec;
        machine->run = run;
        facts_changed(machine, now_usec);
        if (reasons[run] != REVERT_NONE && machine_reverts(machine))
                machine_condemn(machine, reasons[run], now_usec);
}

void machine_set_way(Machine *machine, WayBack way) {
        machine->way = way;
}

void machine_recall(Machine *machine, bool drained, RevertReason due, uint64_t now_usec) {
        machine->drained = drained;
        machine->excused_usec = usec_add(now_usec, MACHINE_EXCUSE_USEC);
        if (due != REVERT_NONE)
                machine_condemn(machine, due, now_usec);
}

void machine_disprove(Machine *machine) {
        machine->proven_usec = 0;
}

void machine_restarted(Machine *machine, uint64_t now_usec) {
        if (machine->resetting)
                return;
        machine->generation++;
        machine->born_usec = now_usec;
        machine->served = 0;
        forget_facts(machine, MACHINE_BOOT_USEC, now_usec);
}

static uint64_t backoff_usec(unsigned failures) {
        uint64_t usec = failures > 6 ? MACHINE_BACKOFF_MAX_USEC : USEC_PER_SEC << (failures - 1);
        return MIN(usec, MACHINE_BACKOFF_MAX_USEC);
}

void machine_recall_failures(Machine *machine, unsigned failures, uint64_t retry_usec, uint64_t now_usec) {
        if (failures == 0)
                return;
        machine->failures = failures;
        machine->retry_usec = MIN(retry_usec, usec_add(now_usec, backoff_usec(failures)));
}

void machine_condemn(Machine *machine, RevertReason reason, uint64_t now_usec) {
        if (machine->resetting)
                return;
        if (reason == REVERT_OPERATOR)
                machine->retry_usec = 0;
        machine->tainted = machine->tainted || !revert_reason_is_void_when_alive(reason);
        if (!revert_reason_is_patient(reason) &&
                (machine->urgent == REVERT_NONE || revert_reason_is_void_when_alive(machine->urgent))) {
                machine->urgent_usec = machine->urgent == REVERT_NONE ? now_usec : machine->urgent_usec;
                machine->urgent = reason;
        }
        if (machine->due == REVERT_NONE) {
                machine->due = reason;
                machine->due_usec = now_usec;
                machine->due_leases = machine->leases;
        }
}

void machine_recall_age(Machine *machine, uint64_t born_usec, uint64_t served, uint64_t now_usec) {
        if (born_usec > 0)
                machine->born_usec = MIN(born_usec, now_usec);
        machine->served = served;
}

/* REVERT_NONE, or why its guest has had its time. Another one comes by a revert alone: while none is
 * possible, this one serves on. */
static RevertReason worn_reason(const Machine *machine, uint64_t now_usec) {
        if (!machine_reverts(machine) || machine->way != WAY_OPEN || machine->drained)
                return REVERT_NONE;
        if (machine->max_requests > 0 && machine->served >= machine->max_requests)
                return REVERT_USED;
        if (machine->max_age_usec > 0 && now_usec >= usec_add(machine->born_usec, machine->max_age_usec))
                return REVERT_AGE;
        return REVERT_NONE;
}

bool machine_is_worn(const Machine *machine, uint64_t now_usec) {
        return worn_reason(machine, now_usec) != REVERT_NONE;
}

static void follow_worn(Machine *machine, uint64_t now_usec) {
        machine->worn = worn_reason(machine, now_usec);
        machine->again_usec = 0;
        if (machine->worn == REVERT_NONE) {
                machine->worn_usec = 0;
                return;
        }
        if (machine->worn_usec == 0)
                machine->worn_usec = now_usec;
        if (machine->needed && now_usec < usec_add(machine->worn_usec, MACHINE_WORN_USEC)) {
                machine->worn = REVERT_NONE;
                machine->again_usec = usec_add(now_usec, MACHINE_WORN_AGAIN_USEC);
        }
}

void machine_tick(Machine *machine, uint64_t now_usec) {
        if (machine->excused_usec > 0 && now_usec >= machine->excused_usec) {
                machine->excused_usec = 0;
                facts_changed(machine, now_usec);
        }
        if (machine->held)
                return;
        /* Nobody is thrown out for it: those who have it finish, and nobody else gets it. */
        follow_worn(machine, now_usec);
        if (machine->worn != REVERT_NONE && machine->leases == 0 && machine->due == REVERT_NONE)
                machine_condemn(machine, machine->worn, now_usec);
        if (machine->run == RUN_SAVING && now_usec >= usec_add(machine->run_usec, MACHINE_SAVING_USEC))
                machine_condemn(machine, REVERT_PAUSED, now_usec);

        /* Where nobody accepts a connection and no revert could change that, there is nothing to reset. */
        if (machine->resetting || machine->due != REVERT_NONE || machine->unwell_usec == 0 ||
                (machine_is_refused(machine) && !machine_reverts(machine)))
                return;
        if (now_usec >= usec_add(machine->unwell_usec, machine->settle_usec))
                machine_condemn(machine, REVERT_UNSTARTED, now_usec);
}

RevertReason machine_owed(const Machine *machine) {
        return machine->tainted && revert_reason_is_void_when_alive(machine->due) ? REVERT_UNCLEAN
                                                                                  : machine->due;
}

bool machine_can_lease(const Machine *machine, bool is_operator) {
        return machine_is_alive(machine) && !machine->resetting && machine->due == REVERT_NONE &&
               (!machine->drained || is_operator) && !machine->held && machine->worn == REVERT_NONE &&
               machine->run != RUN_SAVING && machine->leases < machine->slots;
}

bool machine_is_well(const Machine *machine) {
        return machine_is_alive(machine) && machine->run == RUN_RUNNING && machine->due == REVERT_NONE &&
               !machine->resetting;
}

bool machine_can_snapshot(const Machine *machine) {
        return machine_is_well(machine) && machine->leases == 0 && !machine->held;
}

bool machine_is_idle(const Machine *machine) {
        return machine_can_snapshot(machine) && !machine->drained;
}

bool machine_is_fresh(const Machine *machine, uint64_t now_usec) {
        return machine->proven_usec > 0 && now_usec < usec_add(machine->proven_usec, MACHINE_FRESH_USEC);
}

void machine_resume(Machine *machine, uint64_t now_usec) {
        machine->drained = false;
        if (machine->policy == POLICY_ALWAYS && machine->served > 0 && machine->leases == 0)
                machine_condemn(machine, REVERT_POLICY, now_usec);
}

void machine_hold(Machine *machine) {
        machine->held = true;
}

void machine_unhold(Machine *machine, uint64_t now_usec) {
        machine->held = false;
        /* Its guest goes on from where it was stopped, and has time to show it. */
        machine->run_usec = now_usec;
        if (machine->unwell_usec > 0) {
                machine->unwell_usec = now_usec;
                machine->settle_usec = MACHINE_SETTLE_USEC;
        }
}

void machine_booted(Machine *machine, uint64_t now_usec) {
        machine->unwell_usec = now_usec;
        machine->settle_usec = MACHINE_BOOT_USEC;
}

void machine_lease(Machine *machine) {
        machine->leases++;
        machine->requests++;
        machine->served++;
}

void machine_unlease(Machine *machine) {
        assert(machine->leases > 0);
        machine->leases--;
        machine->requests--;
        machine->served--;
}

bool machine_release(Machine *machine, Outcome outcome, uint64_t now_usec) {
        assert(machine->leases > 0);
        machine->leases--;
        machine->ended[outcome]++;

        RevertReason reason = outcome_reason(outcome, machine->policy), before = machine->due;
        if (reason == REVERT_POLICY && machine->drained)
                reason = REVERT_NONE;
        if (reason != REVERT_NONE)
                machine_condemn(machine, reason, now_usec);
        else if (outcome == OUTCOME_CLEAN)
                machine->proven_usec = now_usec;
        else
                /* Only the job failed, or so it seems: the guest has to prove itself before it is used. */
                machine->proven_usec = 0;
        return machine_reverts(machine) && revert_reason_is_of_a_job(reason) &&
               (before == REVERT_NONE || (revert_reason_is_of_a_job(before) && machine->due_leases == 1));
}

/* When other leases are taken back; each ends by itself at its time limit. */
static uint64_t revoke_usec(const Machine *machine) {
        return machine->urgent == REVERT_NONE ? USEC_INFINITY
                                              : usec_add(machine->urgent_usec, MACHINE_GRACE_USEC);
}

MachineStep machine_step(const Machine *machine, uint64_t now_usec) {
        if (machine->resetting || machine->due == REVERT_NONE || machine->held)
                return MACHINE_STEP_NONE;

        bool gone = machine->run == RUN_OFF || machine->run == RUN_CRASHED;
        if (machine->leases > 0)
                return gone || now_usec >= revoke_usec(machine) ? MACHINE_STEP_REVOKE : MACHINE_STEP_NONE;
        if (machine_reverts(machine) && machine->way != WAY_OPEN)
                return MACHINE_STEP_NONE;
        return now_usec >= machine->retry_usec ? MACHINE_STEP_RESET : MACHINE_STEP_NONE;
}

void machine_postpone(Machine *machine, uint64_t until_usec) {
        machine->retry_usec = MAX(machine->retry_usec, until_usec);
}

void machine_reset_begin(Machine *machine, uint64_t realtime_sec) {
        assert(machine->leases == 0);
        machine->resetting = true;
        machine->generation = MAX(machine->generation + 1, realtime_sec);
        machine->last_reason = machine->due;
}

void machine_reset_end(Machine *machine, ResetResult result, uint64_t now_usec) {
        bool by_backend = machine_reverts(machine);

        assert(machine->resetting);
        machine->resetting = false;
        forget_facts(machine, MACHINE_SETTLE_USEC, now_usec);
        if (result == RESET_DONE && machine->due != REVERT_HEARTBEAT && machine->due != REVERT_UNSTARTED)
                machine->excused_usec = usec_add(now_usec, MACHINE_EXCUSE_USEC);
        if (by_backend)
                machine->run = result == RESET_DONE ? RUN_RUNNING : RUN_UNKNOWN;
        /* Whatever the last look saw in its way: the first snapshot of a machine may have come since. */
        if (by_backend && result == RESET_DONE)
                machine->way = WAY_OPEN;

        /* The next one waits, unless the machine comes to life in between: what did not help is not repeated
         * at once. */
        if (result == RESET_IMPOSSIBLE)
                machine->way = WAY_UNKNOWN;
        else
                machine->retry_usec = usec_add(now_usec, backoff_usec(++machine->failures));
        if (result == RESET_DONE) {
                machine->born_usec = now_usec;
                machine->served = 0;
                machine->worn = REVERT_NONE;
                machine->worn_usec = machine->again_usec = 0;
                machine->due = machine->urgent = REVERT_NONE;
                machine->tainted = false;
                machine->reverts += by_backend;
                machine->reverts_by[machine->last_reason] += by_backend;
        } else
                machine->revert_failures += result == RESET_FAILED;
}

uint64_t machine_deadline(const Machine *machine) {
        uint64_t deadline = USEC_INFINITY;

        if (machine->resetting || machine->held)
                return USEC_INFINITY;
        if (machine->due != REVERT_NONE)
                return machine->leases > 0 ? revoke_usec(machine)
                                           : MAX(machine->retry_usec, machine->due_usec);
        if (machine->unwell_usec > 0 && !(machine_is_refused(machine) && !machine_reverts(machine)))
                deadline = usec_add(machine->unwell_usec, machine->settle_usec);
        if (machine->run == RUN_SAVING)
                deadline = MIN(deadline, usec_add(machine->run_usec, MACHINE_SAVING_USEC));
        if (is_excused(machine))
                deadline = MIN(deadline, machine->excused_usec);
        if (machine->again_usec > 0)
                deadline = MIN(deadline, machine->again_usec);
        else if (machine->max_age_usec > 0 && machine_reverts(machine) && machine->way == WAY_OPEN &&
                 !machine->drained && machine->worn == REVERT_NONE)
                deadline = MIN(deadline, usec_add(machine->born_usec, machine->max_age_usec));
        if (machine->offline_usec > 0)
                deadline = MIN(deadline, usec_add(machine->offline_usec, MACHINE_HOPELESS_USEC));
        return deadline;
}
