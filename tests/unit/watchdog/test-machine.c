/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "watchdog/machine.h"

#define T0 (1000 * SEC)

static const char *const obstacles[_WAY_BACK_MAX] = {
        [WAY_UNKNOWN] = "",
        [WAY_OPEN] = "",
        [WAY_AWAY] = "libvirt is away",
        [WAY_REFUSED] = "libvirt does not tell what it does",
        [WAY_NO_MACHINE] = "libvirt knows no such domain",
        [WAY_NO_SNAPSHOT] = "its snapshot is missing",
};

static MachineConfig config_of(RevertPolicy policy, bool domain) {
        return (MachineConfig){
                .policy = policy,
                .domain = domain ? (char *)"d" : NULL,
                .heart_port = 1,
        };
}

/* A machine that works. */
static Machine ready_machine(RevertPolicy policy, bool domain) {
        MachineConfig config = config_of(policy, domain);
        Machine m;

        machine_init(&m, &config, domain ? obstacles : NULL, 7, T0);
        if (domain) {
                machine_set_way(&m, WAY_OPEN);
                machine_set_run(&m, RUN_RUNNING, T0);
        }
        machine_set_pulse(&m, PULSE_BEATING, T0);
        machine_set_link(&m, LINK_PROVEN, T0);
        return m;
}

static void test_states_follow_from_facts(void **state _unused_) {
        static const struct {
                LinkFact link;
                PulseFact pulse;
                RunFact domain;
                MachineState state;
        } table[] = {
                { LINK_DOWN, PULSE_WAITING, RUN_RUNNING, MACHINE_STARTING },
                { LINK_REFUSED, PULSE_WAITING, RUN_RUNNING, MACHINE_OFFLINE },
                { LINK_DOWN, PULSE_REFUSED, RUN_RUNNING, MACHINE_OFFLINE },
                /* Connected, but no beat: it is on its way. */
                { LINK_SILENT, PULSE_WAITING, RUN_RUNNING, MACHINE_STARTING },
                { LINK_PROVEN, PULSE_WAITING, RUN_RUNNING, MACHINE_STARTING },
                { LINK_SILENT, PULSE_BEATING, RUN_RUNNING, MACHINE_STARTING },
                { LINK_PROVEN, PULSE_BEATING, RUN_RUNNING, MACHINE_READY },
                { LINK_PROVEN, PULSE_NONE, RUN_RUNNING, MACHINE_READY },
                /* libvirt is away: the links say enough. */
                { LINK_PROVEN, PULSE_BEATING, RUN_UNKNOWN, MACHINE_READY },
                /* A snapshot is taken: no fault. */
                { LINK_PROVEN, PULSE_BEATING, RUN_SAVING, MACHINE_READY },
                { LINK_PROVEN, PULSE_BEATING, RUN_OFF, MACHINE_REVERTING },
                { LINK_PROVEN, PULSE_BEATING, RUN_PAUSED, MACHINE_REVERTING },
                { LINK_PROVEN, PULSE_BEATING, RUN_CRASHED, MACHINE_REVERTING },
                { LINK_PROVEN, PULSE_BEATING, RUN_MISSING, MACHINE_OFFLINE },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                MachineConfig config = config_of(POLICY_ON_FAILURE, true);
                Machine m;

                machine_init(&m, &config, obstacles, 1, T0);
                machine_set_run(&m, table[i].domain, T0);
                machine_set_pulse(&m, table[i].pulse, T0);
                machine_set_link(&m, table[i].link, T0);
                assert_int_equal(machine_state(&m), table[i].state);
                assert_int_equal(machine_can_lease(&m, false),
                        table[i].state == MACHINE_READY && table[i].domain != RUN_SAVING);
        }
}

static void test_outcomes_and_policies(void **state _unused_) {
        static const struct {
                RevertPolicy policy;
                Outcome outcome;
                RevertReason due;
        } table[] = {
                { POLICY_ON_FAILURE, OUTCOME_CLEAN, REVERT_NONE },
                { POLICY_ON_FAILURE, OUTCOME_TIMED_OUT, REVERT_TIMED_OUT },
                { POLICY_ON_FAILURE, OUTCOME_CONTAINED, REVERT_NONE },
                { POLICY_ON_FAILURE, OUTCOME_KILLED, REVERT_KILLED },
                { POLICY_ON_FAILURE, OUTCOME_PROTOCOL_ERROR, REVERT_PROTOCOL },
                { POLICY_ON_FAILURE, OUTCOME_LOST, REVERT_LOST },
                { POLICY_ON_FAILURE, OUTCOME_ABANDONED, REVERT_ABANDONED },
                { POLICY_ALWAYS, OUTCOME_CLEAN, REVERT_POLICY },
                { POLICY_ALWAYS, OUTCOME_CONTAINED, REVERT_POLICY },
                { POLICY_ALWAYS, OUTCOME_TIMED_OUT, REVERT_TIMED_OUT },
                { POLICY_ON_HANG, OUTCOME_CLEAN, REVERT_NONE },
                { POLICY_ON_HANG, OUTCOME_TIMED_OUT, REVERT_NONE },
                { POLICY_ON_HANG, OUTCOME_KILLED, REVERT_NONE },
                { POLICY_ON_HANG, OUTCOME_PROTOCOL_ERROR, REVERT_PROTOCOL },
                { POLICY_ON_HANG, OUTCOME_LOST, REVERT_LOST },
                { POLICY_ON_HANG, OUTCOME_UNSENT, REVERT_UNSENT },
                { POLICY_ON_HANG, OUTCOME_ABANDONED, REVERT_ABANDONED },
                { POLICY_ALWAYS, OUTCOME_OVERTAKEN, REVERT_NONE },
                { POLICY_NEVER, OUTCOME_CLEAN, REVERT_NONE },
                { POLICY_NEVER, OUTCOME_TIMED_OUT, REVERT_TIMED_OUT },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Machine m = ready_machine(table[i].policy, true);
                bool reverts = table[i].policy != POLICY_NEVER;

                machine_lease(&m);
                assert_int_equal(machine_state(&m), MACHINE_BUSY);
                assert_false(machine_can_lease(&m, false));
                machine_release(&m, table[i].outcome, T0 + SEC);
                assert_int_equal(m.due, table[i].due);
                assert_int_equal(machine_can_lease(&m, false), table[i].due == REVERT_NONE);
                assert_int_equal(machine_step(&m, T0 + SEC),
                        table[i].due == REVERT_NONE ? MACHINE_STEP_NONE : MACHINE_STEP_RESET);
                assert_int_equal(machine_reverts(&m), reverts);
        }
}

/* Whose request brought a revert about: by its outcome, or by what the guest died of while nobody else had
 * it. */
static void test_who_is_to_blame(void **state _unused_) {
        static const struct {
                RevertPolicy policy;
                RevertReason before; /* due while he had it */
                unsigned others;     /* who had it too, then */
                Outcome outcome;
                bool blamed;
        } table[] = {
                { POLICY_ON_FAILURE, REVERT_NONE, 0, OUTCOME_CLEAN, false },
                { POLICY_ON_FAILURE, REVERT_NONE, 0, OUTCOME_CONTAINED, false },
                { POLICY_ON_FAILURE, REVERT_NONE, 0, OUTCOME_TIMED_OUT, true },
                { POLICY_ON_FAILURE, REVERT_NONE, 1, OUTCOME_KILLED, true },
                { POLICY_ON_FAILURE, REVERT_NONE, 0, OUTCOME_ABANDONED, true },
                { POLICY_ON_FAILURE, REVERT_NONE, 0, OUTCOME_UNSENT, false },
                { POLICY_ON_HANG, REVERT_NONE, 0, OUTCOME_TIMED_OUT, false },
                { POLICY_ALWAYS, REVERT_NONE, 0, OUTCOME_CLEAN, false },
                { POLICY_ALWAYS, REVERT_NONE, 0, OUTCOME_TIMED_OUT, true },
                { POLICY_NEVER, REVERT_NONE, 0, OUTCOME_TIMED_OUT, false },
                { POLICY_ON_FAILURE, REVERT_CRASHED, 0, OUTCOME_ABANDONED, true },
                { POLICY_ON_FAILURE, REVERT_HEARTBEAT, 0, OUTCOME_LOST, true },
                { POLICY_ON_FAILURE, REVERT_HEARTBEAT, 1, OUTCOME_LOST, false },
                { POLICY_ON_FAILURE, REVERT_OPERATOR, 0, OUTCOME_ABANDONED, false },
                { POLICY_ON_FAILURE, REVERT_STOPPED, 0, OUTCOME_ABANDONED, false },
                { POLICY_ON_FAILURE, REVERT_CRASHED, 0, OUTCOME_OVERTAKEN, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Machine m = ready_machine(table[i].policy, true);

                m.slots = 2;
                for (unsigned k = 0; k <= table[i].others; k++)
                        machine_lease(&m);
                if (table[i].before != REVERT_NONE)
                        machine_condemn(&m, table[i].before, T0);
                for (unsigned k = 0; k < table[i].others; k++)
                        (void)machine_release(&m, OUTCOME_CLEAN, T0);
                assert_int_equal(machine_release(&m, table[i].outcome, T0), table[i].blamed);
        }
}

/* Under on-hang a failed job costs no revert, but the guest has to prove itself before it is used again. */
static void test_on_hang_asks_for_a_proof(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_HANG, true);

        machine_lease(&m);
        machine_release(&m, OUTCOME_TIMED_OUT, T0 + SEC);
        assert_false(machine_is_fresh(&m, T0 + SEC));
        machine_set_link(&m, LINK_SILENT, T0 + 4 * SEC);
        assert_int_equal(m.due, REVERT_SILENT);
}

/* A guest that is busy with others may be slow to answer. */
static void test_silent_while_used(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        m.slots = 4;
        machine_lease(&m);
        machine_set_link(&m, LINK_SILENT, T0 + 4 * SEC);
        assert_int_equal(m.due, REVERT_NONE);
        assert_false(machine_can_lease(&m, false));
        machine_tick(&m, T0 + 4 * SEC + MACHINE_SETTLE_USEC - 1);
        assert_int_equal(m.due, REVERT_NONE);
        machine_tick(&m, T0 + 4 * SEC + MACHINE_SETTLE_USEC);
        assert_int_equal(m.due, REVERT_UNSTARTED);
}

static void test_answers_grow_old(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        assert_true(machine_is_fresh(&m, T0 + MACHINE_FRESH_USEC - 1));
        assert_false(machine_is_fresh(&m, T0 + MACHINE_FRESH_USEC));
        machine_lease(&m);
        machine_release(&m, OUTCOME_CLEAN, T0 + 10 * SEC);
        assert_true(machine_is_fresh(&m, T0 + 10 * SEC));
        machine_doubt(&m);
        assert_false(machine_is_fresh(&m, T0 + 10 * SEC));
        assert_true(machine_can_lease(&m, false));
}

static void test_a_revert(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);
        uint64_t generation = m.generation;

        machine_set_pulse(&m, PULSE_LOST, T0 + 3 * SEC);
        assert_int_equal(m.due, REVERT_HEARTBEAT);
        assert_int_equal(machine_step(&m, T0 + 3 * SEC), MACHINE_STEP_RESET);
        machine_reset_begin(&m, 0);
        assert_int_equal(machine_state(&m), MACHINE_REVERTING);
        assert_int_equal(m.generation, generation + 1);

        /* The revert's own events, and what is left of the old generation. */
        machine_set_run(&m, RUN_OFF, T0 + 4 * SEC);
        machine_set_link(&m, LINK_PROVEN, T0 + 4 * SEC);
        machine_set_pulse(&m, PULSE_BEATING, T0 + 4 * SEC);
        machine_condemn(&m, REVERT_CRASHED, T0 + 4 * SEC);
        assert_int_equal(machine_step(&m, T0 + 4 * SEC), MACHINE_STEP_NONE);

        machine_reset_end(&m, RESET_DONE, T0 + 5 * SEC);
        assert_int_equal(machine_state(&m), MACHINE_STARTING);
        assert_int_equal(m.reverts, 1);
        assert_int_equal(m.last_reason, REVERT_HEARTBEAT);
        machine_set_pulse(&m, PULSE_BEATING, T0 + 6 * SEC);
        assert_int_equal(machine_state(&m), MACHINE_STARTING);
        machine_set_link(&m, LINK_PROVEN, T0 + 6 * SEC);
        assert_int_equal(machine_state(&m), MACHINE_READY);
        assert_int_equal(machine_deadline(&m), USEC_INFINITY);
}

/* A revert that is done was possible, whatever the last look at the backend saw in its way. */
static void test_a_revert_finds_its_way(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        machine_set_way(&m, WAY_NO_SNAPSHOT);
        machine_condemn(&m, REVERT_TRIAL, T0);
        machine_reset_begin(&m, 0);
        machine_reset_end(&m, RESET_DONE, T0);
        machine_condemn(&m, REVERT_OPERATOR, T0);
        assert_string_equal(machine_obstacle(&m), "");
}

/* After a revert for another reason than the heartbeat, the agent's answer makes up for the first beat, for
 * a while. */
static void test_the_first_beat_is_excused(void **state _unused_) {
        static const struct {
                RevertReason reason;
                bool excused;
        } table[] = {
                { REVERT_TIMED_OUT, true },
                { REVERT_STOPPED, true },
                { REVERT_HEARTBEAT, false },
                { REVERT_UNSTARTED, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Machine m = ready_machine(POLICY_ON_FAILURE, true);

                machine_condemn(&m, table[i].reason, T0);
                machine_reset_begin(&m, 0);
                machine_reset_end(&m, RESET_DONE, T0);
                assert_int_equal(machine_state(&m), MACHINE_STARTING);
                machine_set_link(&m, LINK_PROVEN, T0);
                assert_int_equal(machine_can_lease(&m, false), table[i].excused);
                if (!table[i].excused)
                        continue;
                assert_int_equal(machine_deadline(&m), T0 + MACHINE_EXCUSE_USEC);
                machine_tick(&m, T0 + MACHINE_EXCUSE_USEC);
                assert_int_equal(machine_state(&m), MACHINE_STARTING);
                machine_set_pulse(&m, PULSE_BEATING, T0 + MACHINE_EXCUSE_USEC);
                assert_int_equal(machine_state(&m), MACHINE_READY);
        }
}

static void test_generations_never_come_twice(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        machine_condemn(&m, REVERT_OPERATOR, T0);
        machine_reset_begin(&m, 5000);
        assert_int_equal(m.generation, 5000);
        machine_reset_end(&m, RESET_DONE, T0);
        machine_condemn(&m, REVERT_OPERATOR, T0);
        machine_reset_begin(&m, 5000);
        assert_int_equal(m.generation, 5001);
}

/* What was a job's fault is no reason to end others' jobs: they have their time limit. */
static void test_other_leases_end_by_themselves(void **state _unused_) {
        static const Outcome outcomes[] = { OUTCOME_KILLED, OUTCOME_TIMED_OUT, OUTCOME_ABANDONED };

        for (size_t i = 0; i < ELEMENTSOF(outcomes); i++) {
                Machine m = ready_machine(POLICY_ON_FAILURE, true);

                m.slots = 4;
                machine_lease(&m);
                machine_lease(&m);
                machine_release(&m, outcomes[i], T0);
                assert_false(machine_can_lease(&m, false));
                assert_int_equal(machine_step(&m, T0 + 100 * SEC), MACHINE_STEP_NONE);
                assert_true(machine_deadline(&m) == USEC_INFINITY);
                machine_release(&m, OUTCOME_CLEAN, T0 + 9 * SEC);
                assert_int_equal(machine_step(&m, T0 + 9 * SEC), MACHINE_STEP_RESET);
        }
}

/* A guest that fails meanwhile is another matter, unless it comes back. */
static void test_a_dead_guest_is_not_waited_for(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        m.slots = 4;
        machine_lease(&m);
        machine_lease(&m);
        machine_release(&m, OUTCOME_KILLED, T0);
        machine_set_pulse(&m, PULSE_LOST, T0 + SEC);
        assert_int_equal(machine_deadline(&m), T0 + SEC + MACHINE_GRACE_USEC);
        machine_set_pulse(&m, PULSE_BEATING, T0 + 2 * SEC);
        assert_int_equal(machine_step(&m, T0 + 9 * SEC), MACHINE_STEP_NONE);
        machine_set_pulse(&m, PULSE_LOST, T0 + 10 * SEC);
        machine_condemn(&m, REVERT_PROTOCOL, T0 + 11 * SEC);
        assert_int_equal(machine_step(&m, T0 + 10 * SEC + MACHINE_GRACE_USEC), MACHINE_STEP_REVOKE);
        machine_set_pulse(&m, PULSE_BEATING, T0 + 11 * SEC);
        assert_int_equal(machine_step(&m, T0 + 10 * SEC + MACHINE_GRACE_USEC), MACHINE_STEP_REVOKE);
        machine_release(&m, OUTCOME_ABANDONED, T0 + 12 * SEC);
        machine_reset_begin(&m, 1);
        machine_reset_end(&m, RESET_DONE, T0 + 13 * SEC);
        assert_int_equal(m.urgent, REVERT_NONE);
}

static void test_other_leases_get_two_seconds(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        m.slots = 4;
        machine_lease(&m);
        machine_lease(&m);
        assert_true(machine_can_lease(&m, false));
        machine_release(&m, OUTCOME_PROTOCOL_ERROR, T0);
        assert_false(machine_can_lease(&m, false));
        assert_int_equal(machine_state(&m), MACHINE_BUSY);
        assert_int_equal(machine_step(&m, T0 + MACHINE_GRACE_USEC - 1), MACHINE_STEP_NONE);
        assert_int_equal(machine_deadline(&m), T0 + MACHINE_GRACE_USEC);
        assert_int_equal(machine_step(&m, T0 + MACHINE_GRACE_USEC), MACHINE_STEP_REVOKE);
        machine_release(&m, OUTCOME_ABANDONED, T0 + MACHINE_GRACE_USEC);
        assert_int_equal(machine_step(&m, T0 + MACHINE_GRACE_USEC), MACHINE_STEP_RESET);
        assert_int_equal(m.due, REVERT_PROTOCOL);

        /* There is nothing to finish in a guest that is off. */
        m = ready_machine(POLICY_ON_FAILURE, true);
        machine_lease(&m);
        machine_set_run(&m, RUN_OFF, T0);
        assert_int_equal(machine_step(&m, T0), MACHINE_STEP_REVOKE);
}

/* Fails again and again: 1 s, 2 s, 4 s ... 60 s. */
static void test_backoff(void **state _unused_) {
        static const unsigned seconds[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
        Machine m = ready_machine(POLICY_ON_FAILURE, true);
        uint64_t now = T0;

        machine_condemn(&m, REVERT_TIMED_OUT, now);
        for (size_t i = 0; i < ELEMENTSOF(seconds); i++) {
                assert_int_equal(machine_step(&m, now), MACHINE_STEP_RESET);
                machine_reset_begin(&m, 0);
                machine_reset_end(&m, RESET_FAILED, now);
                assert_int_equal(machine_state(&m), i == 0 ? MACHINE_REVERTING : MACHINE_FAILED);
                assert_int_equal(machine_step(&m, now + seconds[i] * SEC - 1), MACHINE_STEP_NONE);
                assert_int_equal(machine_deadline(&m), now + seconds[i] * SEC);
                /* The guest that cannot be reverted is alive, and no better for it. */
                machine_set_pulse(&m, PULSE_BEATING, now);
                machine_set_link(&m, LINK_PROVEN, now);
                assert_int_equal(machine_step(&m, now + seconds[i] * SEC - 1), MACHINE_STEP_NONE);
                now += seconds[i] * SEC;
        }
        assert_int_equal(m.revert_failures, ELEMENTSOF(seconds));
        assert_int_equal(m.reverts, 0);

        /* An operator need not wait, and a machine that came to life begins anew. */
        machine_reset_begin(&m, 0);
        machine_reset_end(&m, RESET_FAILED, now);
        machine_condemn(&m, REVERT_OPERATOR, now);
        assert_int_equal(machine_step(&m, now), MACHINE_STEP_RESET);
        machine_reset_begin(&m, 0);
        machine_reset_end(&m, RESET_DONE, now);
        machine_set_pulse(&m, PULSE_BEATING, now);
        machine_set_link(&m, LINK_PROVEN, now);
        machine_condemn(&m, REVERT_TIMED_OUT, now);
        assert_int_equal(machine_step(&m, now), MACHINE_STEP_RESET);
}

/* A revert that succeeds but does not bring the guest up is tried again, not at once. */
static void test_unstarted_guests(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);
        uint64_t now = T0;

        machine_condemn(&m, REVERT_TIMED_OUT, now);
        machine_reset_begin(&m, 0);
        machine_reset_end(&m, RESET_DONE, now);
        assert_int_equal(machine_deadline(&m), now + MACHINE_SETTLE_USEC);
        machine_tick(&m, now + MACHINE_SETTLE_USEC - 1);
        assert_int_equal(m.due, REVERT_NONE);
        now += MACHINE_SETTLE_USEC;
        machine_tick(&m, now);
        assert_int_equal(m.due, REVERT_UNSTARTED);
        assert_int_equal(machine_step(&m, now), MACHINE_STEP_RESET);
        machine_reset_begin(&m, 0);
        machine_reset_end(&m, RESET_DONE, now);
        machine_set_run(&m, RUN_CRASHED, now);
        assert_int_equal(machine_step(&m, now), MACHINE_STEP_NONE);
        assert_int_equal(machine_step(&m, now + 2 * SEC), MACHINE_STEP_RESET);
}

static void test_no_way_back(void **state _unused_) {
        static const struct {
                WayBack way;
                MachineState state;
                const char *obstacle;
        } table[] = {
                { WAY_UNKNOWN, MACHINE_REVERTING, "" },
                { WAY_AWAY, MACHINE_REVERTING, "libvirt is away" },
                { WAY_REFUSED, MACHINE_FAILED, "libvirt does not tell what it does" },
                { WAY_NO_SNAPSHOT, MACHINE_FAILED, "its snapshot is missing" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Machine m = ready_machine(POLICY_ON_FAILURE, true);

                machine_set_way(&m, table[i].way);
                /* As long as nothing is due, it is used. */
                assert_true(machine_can_lease(&m, false));
                machine_condemn(&m, REVERT_TIMED_OUT, T0);
                assert_int_equal(machine_step(&m, T0 + 100 * SEC), MACHINE_STEP_NONE);
                assert_int_equal(machine_state(&m), table[i].state);
                assert_string_equal(machine_obstacle(&m), table[i].obstacle);
                machine_set_way(&m, WAY_OPEN);
                assert_int_equal(machine_step(&m, T0 + 100 * SEC), MACHINE_STEP_RESET);
        }

        /* libvirt went away in the middle: it is looked at before the next try. */
        Machine m = ready_machine(POLICY_ON_FAILURE, true);
        machine_condemn(&m, REVERT_TIMED_OUT, T0);
        machine_reset_begin(&m, 0);
        machine_reset_end(&m, RESET_IMPOSSIBLE, T0);
        assert_int_equal(machine_step(&m, T0), MACHINE_STEP_NONE);
        machine_set_way(&m, WAY_OPEN);
        assert_int_equal(machine_step(&m, T0), MACHINE_STEP_RESET);
}

/* While no revert is possible, a guest that only seemed dead may come back; one that was misused may not. */
static void test_reasons_that_life_refutes(void **state _unused_) {
        for (RevertReason reason = REVERT_HEARTBEAT; reason < _REVERT_REASON_MAX; reason++) {
                Machine m = ready_machine(POLICY_ON_FAILURE, true);

                machine_set_way(&m, WAY_AWAY);
                machine_set_pulse(&m, PULSE_WAITING, T0);
                machine_condemn(&m, reason, T0);
                machine_set_pulse(&m, PULSE_BEATING, T0 + SEC);
                assert_int_equal(m.due, reason <= REVERT_UNSTARTED ? REVERT_NONE : reason);
        }

        /* The first reason is told, but the second one makes it final. */
        Machine m = ready_machine(POLICY_ON_FAILURE, true);
        machine_set_way(&m, WAY_AWAY);
        machine_condemn(&m, REVERT_HEARTBEAT, T0);
        machine_condemn(&m, REVERT_ABANDONED, T0);
        machine_condemn(&m, REVERT_SILENT, T0);
        machine_set_pulse(&m, PULSE_BEATING, T0 + SEC);
        assert_int_equal(m.due, REVERT_HEARTBEAT);
        machine_set_way(&m, WAY_OPEN);
        machine_reset_begin(&m, 0);
        machine_reset_end(&m, RESET_DONE, T0 + SEC);
        assert_int_equal(m.due, REVERT_NONE);
        machine_condemn(&m, REVERT_HEARTBEAT, T0 + SEC);
        machine_set_link(&m, LINK_PROVEN, T0 + SEC);
        machine_set_pulse(&m, PULSE_BEATING, T0 + SEC);
        assert_int_equal(m.due, REVERT_NONE);
}

static void test_a_pause_for_a_snapshot(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        machine_set_run(&m, RUN_SAVING, T0);
        assert_false(machine_is_idle(&m));
        machine_set_pulse(&m, PULSE_LOST, T0 + 4 * SEC);
        assert_int_equal(m.due, REVERT_NONE);
        assert_false(machine_can_lease(&m, false));
        machine_set_run(&m, RUN_RUNNING, T0 + 5 * SEC);
        machine_set_pulse(&m, PULSE_BEATING, T0 + 5 * SEC);
        assert_int_equal(machine_state(&m), MACHINE_READY);
}

static void test_a_pause_that_does_not_end(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        machine_set_run(&m, RUN_SAVING, T0);
        machine_set_run(&m, RUN_SAVING, T0 + 60 * SEC);
        assert_int_equal(machine_deadline(&m), T0 + MACHINE_SAVING_USEC);
        machine_tick(&m, T0 + MACHINE_SAVING_USEC - 1);
        assert_int_equal(m.due, REVERT_NONE);
        machine_tick(&m, T0 + MACHINE_SAVING_USEC);
        assert_int_equal(m.due, REVERT_PAUSED);
}

static void test_what_is_worth_a_snapshot(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        assert_true(machine_can_snapshot(&m));
        m.drained = true;
        assert_true(machine_can_snapshot(&m));
        machine_lease(&m);
        assert_false(machine_can_snapshot(&m));
        machine_release(&m, OUTCOME_TIMED_OUT, T0);
        assert_false(machine_can_snapshot(&m));
        m = ready_machine(POLICY_NEVER, true);
        machine_set_run(&m, RUN_OFF, T0);
        assert_false(machine_can_snapshot(&m));
        m = ready_machine(POLICY_ON_FAILURE, true);
        machine_set_pulse(&m, PULSE_WAITING, T0);
        assert_false(machine_can_snapshot(&m));
}

static void test_held_for_our_own_snapshot(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        assert_true(machine_is_idle(&m));
        machine_hold(&m);
        assert_false(machine_is_idle(&m)); /* what the domain burns now is not the guest's */
        assert_false(machine_can_lease(&m, false));
        machine_condemn(&m, REVERT_HEARTBEAT, T0);
        assert_int_equal(machine_step(&m, T0 + 100 * SEC), MACHINE_STEP_NONE);
        machine_unhold(&m, T0);
        assert_int_equal(machine_step(&m, T0 + 100 * SEC), MACHINE_STEP_RESET);
}

static void test_drained(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        machine_lease(&m);
        m.drained = true;
        assert_int_equal(machine_state(&m), MACHINE_BUSY);
        assert_true(machine_is_hopeless(&m, false, T0));
        machine_release(&m, OUTCOME_CLEAN, T0);
        assert_int_equal(machine_state(&m), MACHINE_DRAINED);
        assert_false(machine_can_lease(&m, false));
        /* It is still looked after. */
        machine_set_run(&m, RUN_OFF, T0);
        assert_int_equal(machine_step(&m, T0), MACHINE_STEP_RESET);
        m = ready_machine(POLICY_ON_FAILURE, true);
        assert_int_equal(machine_state(&m), MACHINE_READY);
}

/* The guest is the operator's to work in: neither its age nor the policy takes it from him. */
static void test_drained_is_not_worn(void **state _unused_) {
        Machine m = ready_machine(POLICY_ALWAYS, true);

        m.max_age_usec = m.max_requests = 1;
        m.drained = true;
        machine_lease(&m);
        machine_release(&m, OUTCOME_CLEAN, T0);
        machine_tick(&m, T0 + 100 * SEC);
        assert_int_equal(m.due, REVERT_NONE);
        assert_int_equal(machine_deadline(&m), USEC_INFINITY);
        assert_false(machine_can_lease(&m, false));
        assert_true(machine_can_lease(&m, true));
        assert_true(machine_is_hopeless(&m, false, T0));
        assert_false(machine_is_hopeless(&m, true, T0));
        /* One that hangs is. */
        machine_lease(&m);
        machine_release(&m, OUTCOME_TIMED_OUT, T0);
        assert_int_equal(m.due, REVERT_TIMED_OUT);

        m = ready_machine(POLICY_ALWAYS, true);
        m.drained = true;
        machine_resume(&m, T0);
        assert_int_equal(m.due, REVERT_NONE);
        m.drained = true;
        machine_lease(&m);
        machine_release(&m, OUTCOME_CLEAN, T0);
        machine_resume(&m, T0);
        assert_int_equal(m.due, REVERT_POLICY);
}

static void test_without_a_domain(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, false);

        machine_lease(&m);
        machine_release(&m, OUTCOME_TIMED_OUT, T0);
        assert_int_equal(machine_step(&m, T0), MACHINE_STEP_RESET);
        assert_false(machine_reverts(&m));
        machine_reset_begin(&m, 0);
        machine_reset_end(&m, RESET_DONE, T0);
        assert_int_equal(m.generation, 8);
        assert_int_equal(m.reverts, 0);

        /* Nobody brings it up: soon there is no hope, and nothing is reset again and again. */
        machine_set_link(&m, LINK_REFUSED, T0);
        assert_int_equal(machine_state(&m), MACHINE_OFFLINE);
        assert_false(machine_is_hopeless(&m, false, T0 + MACHINE_HOPELESS_USEC - 1));
        assert_int_equal(machine_deadline(&m), T0 + MACHINE_HOPELESS_USEC);
        assert_true(machine_is_hopeless(&m, false, T0 + MACHINE_HOPELESS_USEC));
        machine_tick(&m, T0 + 1000 * SEC);
        assert_int_equal(m.due, REVERT_NONE);
}

static void test_never_reverted(void **state _unused_) {
        Machine m = ready_machine(POLICY_NEVER, true);

        machine_set_run(&m, RUN_OFF, T0);
        assert_int_equal(m.due, REVERT_NONE);
        assert_int_equal(machine_state(&m), MACHINE_OFFLINE);
        assert_true(machine_is_hopeless(&m, false, T0 + MACHINE_HOPELESS_USEC));
}

static void test_started_by_somebody_else(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        machine_restarted(&m, T0);
        assert_int_equal(m.generation, 8);
        assert_int_equal(machine_state(&m), MACHINE_STARTING);
        /* It may have to boot. */
        machine_tick(&m, T0 + MACHINE_BOOT_USEC - 1);
        assert_int_equal(m.due, REVERT_NONE);
        machine_tick(&m, T0 + MACHINE_BOOT_USEC);
        assert_int_equal(m.due, REVERT_UNSTARTED);
}

/* However long our own snapshot takes, it is no fault; somebody else's has a limit. */
static void test_a_long_snapshot(void **state _unused_) {
        const uint64_t end = T0 + 1200 * SEC;
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        machine_hold(&m);
        machine_set_pulse(&m, PULSE_LOST, T0 + 3 * SEC);
        machine_set_run(&m, RUN_SAVING, T0 + 4 * SEC);
        machine_set_link(&m, LINK_SILENT, T0 + 5 * SEC);
        for (uint64_t now = T0; now < end; now += SEC) {
                machine_tick(&m, now);
                assert_int_equal(m.due, REVERT_NONE);
        }
        machine_unhold(&m, end);
        machine_tick(&m, end);
        assert_int_equal(m.due, REVERT_NONE);
        machine_set_run(&m, RUN_RUNNING, end);
        machine_set_pulse(&m, PULSE_BEATING, end + SEC);
        machine_set_link(&m, LINK_PROVEN, end + SEC);
        assert_true(machine_can_lease(&m, false));

        /* A guest that does not come back is reverted then. */
        machine_hold(&m);
        machine_set_link(&m, LINK_SILENT, end + 2 * SEC);
        machine_unhold(&m, 2 * end);
        machine_tick(&m, 2 * end + MACHINE_SETTLE_USEC - 1);
        assert_int_equal(m.due, REVERT_NONE);
        machine_tick(&m, 2 * end + MACHINE_SETTLE_USEC);
        assert_int_equal(m.due, REVERT_UNSTARTED);
}

/* A guest that is as old as it may be is reverted when nobody has it; nobody new gets it. */
static void test_age(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        m.max_age_usec = 100 * SEC;
        m.slots = 4;
        machine_tick(&m, T0 + 100 * SEC - 1);
        assert_true(machine_can_lease(&m, false));
        assert_int_equal(machine_deadline(&m), T0 + 100 * SEC);
        machine_lease(&m);
        machine_tick(&m, T0 + 100 * SEC);
        assert_false(machine_can_lease(&m, false));
        assert_int_equal(machine_step(&m, T0 + 200 * SEC), MACHINE_STEP_NONE);
        machine_release(&m, OUTCOME_CLEAN, T0 + 200 * SEC);
        machine_tick(&m, T0 + 200 * SEC);
        assert_int_equal(m.due, REVERT_AGE);
        assert_int_equal(machine_step(&m, T0 + 200 * SEC), MACHINE_STEP_RESET);
        machine_reset_begin(&m, 1);
        machine_reset_end(&m, RESET_DONE, T0 + 201 * SEC);
        machine_tick(&m, T0 + 202 * SEC);
        assert_int_equal(m.due, REVERT_NONE);

        /* While no revert is possible it serves on. */
        machine_set_run(&m, RUN_RUNNING, T0 + 202 * SEC);
        machine_set_pulse(&m, PULSE_BEATING, T0 + 202 * SEC);
        machine_set_link(&m, LINK_PROVEN, T0 + 202 * SEC);
        machine_set_way(&m, WAY_AWAY);
        machine_tick(&m, T0 + 400 * SEC);
        assert_true(machine_can_lease(&m, false));
        assert_int_equal(machine_deadline(&m), USEC_INFINITY);
        machine_set_way(&m, WAY_OPEN);
        machine_tick(&m, T0 + 401 * SEC);
        assert_int_equal(m.due, REVERT_AGE);

        /* Its age outlives the watchdog; where no revert can follow, it has none. */
        m = ready_machine(POLICY_ON_FAILURE, true);
        m.max_age_usec = 100 * SEC;
        machine_recall_age(&m, T0 - 99 * SEC, 7, T0);
        machine_tick(&m, T0 + SEC);
        assert_int_equal(m.due, REVERT_AGE);
        m = ready_machine(POLICY_NEVER, true);
        m.max_age_usec = 100 * SEC;
        m.max_requests = 1;
        machine_lease(&m);
        machine_release(&m, OUTCOME_CLEAN, T0);
        machine_tick(&m, T0 + 1000 * SEC);
        assert_int_equal(m.due, REVERT_NONE);
        assert_true(machine_can_lease(&m, false));
}

/* Where nobody else could serve it serves on, but not for ever. */
static void test_worn_and_needed(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        m.max_age_usec = 100 * SEC;
        m.needed = true;
        assert_false(machine_is_worn(&m, T0 + 100 * SEC - 1));
        assert_true(machine_is_worn(&m, T0 + 100 * SEC));
        machine_tick(&m, T0 + 100 * SEC);
        assert_true(machine_can_lease(&m, false));
        assert_int_equal(machine_deadline(&m), T0 + 100 * SEC + MACHINE_WORN_AGAIN_USEC);
        machine_tick(&m, T0 + 100 * SEC + MACHINE_WORN_USEC - 1);
        assert_true(machine_can_lease(&m, false));
        machine_tick(&m, T0 + 100 * SEC + MACHINE_WORN_USEC);
        assert_int_equal(m.due, REVERT_AGE);
        machine_reset_begin(&m, 1);
        machine_reset_end(&m, RESET_DONE, T0 + 200 * SEC);

        /* The next time it has as long again, or less if another one comes back. */
        machine_set_run(&m, RUN_RUNNING, T0 + 200 * SEC);
        machine_set_pulse(&m, PULSE_BEATING, T0 + 200 * SEC);
        machine_set_link(&m, LINK_PROVEN, T0 + 200 * SEC);
        machine_tick(&m, T0 + 300 * SEC);
        assert_true(machine_can_lease(&m, false));
        m.needed = false;
        machine_tick(&m, T0 + 301 * SEC);
        assert_int_equal(m.due, REVERT_AGE);
}

static void test_number_of_requests(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        m.max_requests = 2;
        for (int i = 0; i < 2; i++) {
                assert_int_equal(m.due, REVERT_NONE);
                assert_true(machine_can_lease(&m, false));
                machine_lease(&m);
                /* One that was not granted does not count. */
                machine_unlease(&m);
                machine_lease(&m);
                machine_release(&m, OUTCOME_CLEAN, T0);
                machine_tick(&m, T0);
        }
        assert_int_equal(m.due, REVERT_USED);
        machine_reset_begin(&m, 1);
        machine_reset_end(&m, RESET_DONE, T0);
        machine_tick(&m, T0);
        assert_int_equal(m.due, REVERT_NONE);
}

/* What failed before the watchdog was started again is not repeated at once, nor later than it would be. */
static void test_back_off_outlives_a_restart(void **state _unused_) {
        Machine m = ready_machine(POLICY_ON_FAILURE, true);

        machine_recall(&m, false, REVERT_KILLED, T0);
        machine_recall_failures(&m, 4, T0 + 5 * SEC, T0);
        assert_int_equal(machine_step(&m, T0 + 5 * SEC - 1), MACHINE_STEP_NONE);
        assert_int_equal(machine_step(&m, T0 + 5 * SEC), MACHINE_STEP_RESET);
        machine_reset_begin(&m, 1);
        machine_reset_end(&m, RESET_FAILED, T0 + 5 * SEC);
        assert_int_equal(m.retry_usec, T0 + 21 * SEC);
        /* A time that makes no sense. */
        machine_recall_failures(&m, 4, T0 + 1000 * SEC, T0);
        assert_int_equal(m.retry_usec, T0 + 8 * SEC);
        /* An operator is not kept waiting. */
        machine_condemn(&m, REVERT_OPERATOR, T0);
        assert_int_equal(machine_step(&m, T0), MACHINE_STEP_RESET);
}

static void test_an_unused_lease_leaves_no_trace(void **state _unused_) {
        Machine m = ready_machine(POLICY_ALWAYS, true);

        machine_lease(&m);
        machine_unlease(&m);
        assert_int_equal(m.requests, 0);
        assert_true(machine_can_lease(&m, false));
}

static void test_names(void **state _unused_) {
        for (RevertReason r = REVERT_NONE; r < _REVERT_REASON_MAX; r++)
                assert_int_equal(revert_reason_from_name(revert_reason_to_name(r)), r);
        for (Outcome o = 0; o < OUTCOME_OVERTAKEN; o++)
                assert_int_equal(outcome_from_string(outcome_to_string(o)), o);
        /* No client can say that of its lease; the log can. */
        assert_int_equal(outcome_from_string(outcome_to_string(OUTCOME_OVERTAKEN)), -EINVAL);
        assert_string_not_equal(outcome_to_string(OUTCOME_OVERTAKEN), "clean");
        assert_int_equal(outcome_from_string("dirty"), -EINVAL);
        assert_int_equal(revert_reason_from_name("because"), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_states_follow_from_facts),
                cmocka_unit_test(test_outcomes_and_policies),
                cmocka_unit_test(test_who_is_to_blame),
                cmocka_unit_test(test_on_hang_asks_for_a_proof),
                cmocka_unit_test(test_silent_while_used),
                cmocka_unit_test(test_answers_grow_old),
                cmocka_unit_test(test_a_revert),
                cmocka_unit_test(test_a_revert_finds_its_way),
                cmocka_unit_test(test_the_first_beat_is_excused),
                cmocka_unit_test(test_generations_never_come_twice),
                cmocka_unit_test(test_other_leases_get_two_seconds),
                cmocka_unit_test(test_other_leases_end_by_themselves),
                cmocka_unit_test(test_a_dead_guest_is_not_waited_for),
                cmocka_unit_test(test_backoff),
                cmocka_unit_test(test_unstarted_guests),
                cmocka_unit_test(test_no_way_back),
                cmocka_unit_test(test_reasons_that_life_refutes),
                cmocka_unit_test(test_a_pause_for_a_snapshot),
                cmocka_unit_test(test_a_pause_that_does_not_end),
                cmocka_unit_test(test_what_is_worth_a_snapshot),
                cmocka_unit_test(test_held_for_our_own_snapshot),
                cmocka_unit_test(test_drained),
                cmocka_unit_test(test_drained_is_not_worn),
                cmocka_unit_test(test_without_a_domain),
                cmocka_unit_test(test_never_reverted),
                cmocka_unit_test(test_started_by_somebody_else),
                cmocka_unit_test(test_a_long_snapshot),
                cmocka_unit_test(test_age),
                cmocka_unit_test(test_worn_and_needed),
                cmocka_unit_test(test_number_of_requests),
                cmocka_unit_test(test_back_off_outlives_a_restart),
                cmocka_unit_test(test_an_unused_lease_leaves_no_trace),
                cmocka_unit_test(test_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
