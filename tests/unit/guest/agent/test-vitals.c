/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmocka-all.h"

#include "vitals.h"

#define DATE ((int64_t)1700000000)

static uint64_t at(double seconds) {
        return (uint64_t)((double)DATE * 1e6 + seconds * 1e6);
}

static void test_clock_is_off_either_way(_unused_ void **state) {
        assert_true(clock_is_off(at(-1000), DATE)); /* a guest that came back from a snapshot */
        assert_true(clock_is_off(at(-2), DATE));
        assert_true(clock_is_off(at(-1.1), DATE));
        assert_true(clock_is_off(at(2.1), DATE));
        assert_true(clock_is_off(at(61), DATE));
        assert_true(clock_is_off(at(100000), DATE));
}

static void test_clock_is_right(_unused_ void **state) {
        /* The host's date has lost its fraction, and the request took its way. */
        assert_false(clock_is_off(at(0), DATE));
        assert_false(clock_is_off(at(0.999), DATE));
        assert_false(clock_is_off(at(1.5), DATE));
        assert_false(clock_is_off(at(-0.9), DATE));
}

static void test_clock_is_not_set_to_nonsense(_unused_ void **state) {
        assert_false(clock_is_off(at(0), 0));
        assert_false(clock_is_off(at(0), -1));
        assert_false(clock_is_off(at(0), 1));
        assert_false(clock_is_off(at(0), INT64_MAX));
        assert_false(clock_is_off(at(0), INT64_MIN));
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
                cmocka_unit_test(test_clock_is_not_set_to_nonsense),
                cmocka_unit_test(test_entropy_once_a_generation),
                cmocka_unit_test(test_entropy_after_a_generation_without),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
