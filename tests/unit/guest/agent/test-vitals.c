/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmocka-all.h"

#include "vitals.h"

#define DATE ((int64_t)1700000000)

static uint64_t at(double seconds) {
        return (uint64_t)((double)DATE * 1e6 + seconds * 1e6);
}

static void test_clock_is_off_either_way(_unused_ void **state) {
        assert_true(clock_is_off(at(-1000), DATE, 0)); /* a guest that came back from a snapshot */
        assert_true(clock_is_off(at(-2), DATE, 0));
        assert_true(clock_is_off(at(-1.1), DATE, 0));
        assert_true(clock_is_off(at(2.1), DATE, 0));
        assert_true(clock_is_off(at(61), DATE, 0));
        assert_true(clock_is_off(at(100000), DATE, 0));
}

static void test_clock_is_right(_unused_ void **state) {
        /* The host's date has lost its fraction, and the request took its way. */
        assert_false(clock_is_off(at(0), DATE, 0));
        assert_false(clock_is_off(at(0.999), DATE, 0));
        assert_false(clock_is_off(at(1.5), DATE, 0));
        assert_false(clock_is_off(at(-0.9), DATE, 0));
}

static void test_clock_may_be_ahead_by_the_wait(_unused_ void **state) {
        assert_false(clock_is_off(at(6.9), DATE, 5 * USEC_PER_SEC));
        assert_true(clock_is_off(at(7.1), DATE, 5 * USEC_PER_SEC));
        assert_true(clock_is_off(at(-1.1), DATE, 5 * USEC_PER_SEC)); /* it cannot be behind by it */
        assert_true(clock_is_off(at(62.1), DATE, USEC_INFINITY));
}

static void test_who_came_later_was_made_later(_unused_ void **state) {
        const Vitals vitals = { .date = DATE };
        Request request = REQUEST_INIT;

        request.date = DATE + 1;
        assert_int_equal(vitals_waited_usec(&vitals, &request, 7), 7);
        request.date = DATE - 1;
        assert_int_equal(vitals_waited_usec(&vitals, &request, 7), 0);
}

static void test_clock_is_not_set_to_nonsense(_unused_ void **state) {
        assert_false(clock_is_off(at(0), 0, 0));
        assert_false(clock_is_off(at(0), -1, 0));
        assert_false(clock_is_off(at(0), 1, 0));
        assert_false(clock_is_off(at(0), INT64_MAX, 0));
        assert_false(clock_is_off(at(0), INT64_MIN, 0));
}

static void test_entropy_once_a_generation(_unused_ void **state) {
        Vitals vitals = {};
        Request request = REQUEST_INIT;

        request.generation = 3;
        assert_false(entropy_is_due(&vitals, &request));
        request.have_entropy = true;
        assert_true(entropy_is_due(&vitals, &request));

        vitals = (Vitals){ .generation = 3, .seeded = true };
        assert_false(entropy_is_due(&vitals, &request));
        request.generation = 4;
        assert_true(entropy_is_due(&vitals, &request));
        /* Nobody knows how old the state is. */
        request.generation = 0;
        assert_true(entropy_is_due(&vitals, &request));
}

static void test_entropy_after_a_generation_without(_unused_ void **state) {
        Vitals vitals = { .generation = 3 };
        Request request = REQUEST_INIT;

        request.generation = 3;
        request.have_entropy = true;
        assert_true(entropy_is_due(&vitals, &request));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_clock_is_off_either_way),
                cmocka_unit_test(test_clock_is_right),
                cmocka_unit_test(test_clock_may_be_ahead_by_the_wait),
                cmocka_unit_test(test_who_came_later_was_made_later),
                cmocka_unit_test(test_clock_is_not_set_to_nonsense),
                cmocka_unit_test(test_entropy_once_a_generation),
                cmocka_unit_test(test_entropy_after_a_generation_without),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
