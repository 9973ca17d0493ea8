/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "watchdog/qemu/spare-plan.h"
#include "watchdog/qemu/turns.h"

#define SEC USEC_PER_SEC

static void test_bounds(void **state) {
        (void)state;
        SparePlan plan;

        spare_plan_init(&plan, 0);
        assert_int_equal(spare_plan_next(&plan, 0), -1);
        assert_int_equal(spare_plan_first(&plan), -1);
        assert_true(spare_plan_deadline(&plan, 0) == USEC_INFINITY);

        /* There is a place for each of them, beside the machine's own. */
        spare_plan_init(&plan, 1000);
        assert_int_equal(plan.wanted, MACHINE_SPARES_MAX);
        plan.own = 3;
        for (unsigned i = 0; i < MACHINE_SPARES_MAX; i++) {
                int next = spare_plan_next(&plan, 0);
                assert_true(next >= 0 && next != 3);
                spare_plan_making(&plan, (unsigned)next);
        }
        assert_int_equal(spare_plan_next(&plan, 0), -1);
        assert_int_equal(spare_plan_ready(&plan), 0);
        assert_true(spare_plan_is_making(&plan));
}

/* The oldest is taken; what was the machine's own is the place of the next one. */
static void test_rounds(void **state) {
        (void)state;
        SparePlan plan;

        spare_plan_init(&plan, 2);
        assert_int_equal(spare_plan_next(&plan, 0), 1);
        spare_plan_making(&plan, 1);
        assert_int_equal(spare_plan_next(&plan, 0), 2);
        spare_plan_making(&plan, 2);
        spare_plan_made(&plan, 2, 5);
        assert_int_equal(spare_plan_first(&plan), 2);
        spare_plan_made(&plan, 1, 6);
        assert_int_equal(spare_plan_ready(&plan), 2);
        assert_false(spare_plan_is_making(&plan));
        assert_int_equal(spare_plan_first(&plan), 2);
        spare_plan_taken(&plan, 2);
        assert_int_equal(plan.own, 2);
        assert_int_equal(spare_plan_ready(&plan), 1);
        assert_int_equal(spare_plan_next(&plan, 7), 0);
        spare_plan_making(&plan, 0);
        assert_int_equal(spare_plan_next(&plan, 7), -1);
        /* A new template: what was made is given up, and nobody is to blame. */
        spare_plan_void(&plan, 0);
        spare_plan_void(&plan, 1);
        assert_int_equal(plan.failures, 0);
        assert_int_equal(spare_plan_next(&plan, 7), 0);
}

static void test_backoff(void **state) {
        (void)state;
        static const uint64_t pauses[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
        uint64_t now = 100 * SEC;
        SparePlan plan;

        spare_plan_init(&plan, 1);
        for (size_t i = 0; i < ELEMENTSOF(pauses); i++) {
                assert_int_equal(spare_plan_next(&plan, now), 1);
                spare_plan_making(&plan, 1);
                /* One that dies as soon as it is ready is no better. */
                if (i % 2 == 1)
                        spare_plan_made(&plan, 1, now);
                assert_true(spare_plan_failed(&plan, 1, now) == (i == 0));
                assert_int_equal(plan.failures, i + 1);
                assert_int_equal(spare_plan_next(&plan, now), -1);
                assert_true(spare_plan_deadline(&plan, now) == now + pauses[i] * SEC);
                now += pauses[i] * SEC;
                assert_true(spare_plan_deadline(&plan, now) == USEC_INFINITY);
        }
        /* One that was good for a while ends the row, and so does one that was taken. */
        for (int taken = 0; taken < 2; taken++) {
                spare_plan_making(&plan, 1);
                spare_plan_made(&plan, 1, now);
                if (taken) {
                        spare_plan_taken(&plan, 1);
                        assert_int_equal(spare_plan_next(&plan, now), 0);
                        spare_plan_making(&plan, 0);
                        assert_true(spare_plan_failed(&plan, 0, now));
                } else {
                        now += SPARE_BACKOFF_MAX_USEC;
                        assert_true(spare_plan_failed(&plan, 1, now));
                }
                assert_true(spare_plan_deadline(&plan, now) == now + SEC);
                now += SEC;
        }
}

static void on_turn(void *userdata) {
        ++*(int *)userdata;
}

static void test_turns(void **state) {
        (void)state;
        int came[4] = {};
        Turns turns = { .left = 2 };
        Turn turn[4];

        for (int i = 0; i < 4; i++) {
                turn[i] = (Turn){ .turns = &turns, .come = on_turn, .userdata = &came[i] };
                assert_true(turn_ask(&turn[i]) == (i < 2));
                assert_true(turn_ask(&turn[i]) == (i < 2)); /* asked twice, it counts once */
        }
        turn_end(&turn[2]); /* it does not want it any more */
        turn_end(&turn[0]);
        assert_int_equal(came[2], 0);
        assert_int_equal(came[3], 1);
        assert_true(turn_ask(&turn[3]));
        assert_false(turn_ask(&turn[0]));
        turn_end(&turn[1]);
        assert_int_equal(came[0], 1);
        for (int i = 0; i < 4; i++)
                turn_end(&turn[i]);
        assert_int_equal(turns.left, 2);
        assert_null(turns.first);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_rounds),
                cmocka_unit_test(test_backoff),
                cmocka_unit_test(test_turns),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
