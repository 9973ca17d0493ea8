/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/text.h"
#include "watchdog/hour.h"

#define MINUTE (60 * SEC)
#define T0 (1000 * MINUTE)

static void test_minutes(void **state _unused_) {
        Hour hour = {};

        hour_add(&hour, HOUR_BEATS, 3, T0);
        hour_add(&hour, HOUR_BEATS, 4, T0 + MINUTE - 1);
        hour_add(&hour, HOUR_REQUESTS, 1, T0 + MINUTE);
        assert_int_equal(hour_get(&hour, HOUR_BEATS, 0, T0), 7);
        assert_int_equal(hour_get(&hour, HOUR_BEATS, 1, T0 + MINUTE), 7);
        assert_int_equal(hour_get(&hour, HOUR_BEATS, 0, T0 + MINUTE), 0);
        assert_int_equal(hour_get(&hour, HOUR_REQUESTS, 0, T0 + MINUTE), 1);
        assert_int_equal(hour_get(&hour, HOUR_REVERTS, 0, T0 + MINUTE), 0);
        /* Asked later, when nothing has come since. */
        assert_int_equal(hour_get(&hour, HOUR_BEATS, 59, T0 + 59 * MINUTE), 7);
        assert_int_equal(hour_get(&hour, HOUR_BEATS, 60, T0 + 60 * MINUTE), 0);
        assert_int_equal(hour_get(&hour, HOUR_REQUESTS, 0, T0 + 61 * MINUTE), 0);
        assert_int_equal(hour_get(&hour, HOUR_BEATS, 59, MINUTE), 0);
}

/* What is older than an hour is overwritten by what comes, wherever that is in the ring. */
static void test_forgets(void **state _unused_) {
        for (unsigned pause = 1; pause < 200; pause++) {
                Hour hour = {};

                for (unsigned i = 0; i < HOUR_MINUTES; i++)
                        hour_add(&hour, HOUR_BEATS, 1, T0 + i * MINUTE);
                uint64_t now = T0 + (HOUR_MINUTES - 1 + pause) * MINUTE;
                hour_add(&hour, HOUR_BEATS, 100, now);
                uint64_t sum = 0;
                for (unsigned i = 0; i < HOUR_MINUTES; i++)
                        sum += hour_get(&hour, HOUR_BEATS, i, now);
                assert_int_equal(sum, 100 + (pause < HOUR_MINUTES ? HOUR_MINUTES - pause : 0));
        }
}

static void test_bounds(void **state _unused_) {
        Hour hour = {};

        hour_add(&hour, HOUR_BEATS, UINT64_MAX / 2, T0);
        hour_add(&hour, HOUR_BEATS, 1, T0);
        assert_int_equal(hour_get(&hour, HOUR_BEATS, 0, T0), UINT32_MAX);
        /* A clock that goes back, as no CLOCK_MONOTONIC does, but a file may say. */
        hour_add(&hour, HOUR_BEATS, 2, T0 - MINUTE);
        assert_int_equal(hour_get(&hour, HOUR_BEATS, 0, T0 - MINUTE), 2);
        assert_int_equal(hour_get(&hour, HOUR_BEATS, 0, T0), 0);
        assert_int_equal(hour_get(&hour, HOUR_BEATS, 1000, T0), 0);
        assert_int_equal(hour_get(&hour, HOUR_BEATS, 3, MINUTE), 0);
}

static void test_text(void **state _unused_) {
        _cleanup_text_ Text text = {}, long_text = {};
        Hour hour = {}, other = {};

        hour_add(&hour, HOUR_BEATS, 60, T0);
        hour_add(&hour, HOUR_BEATS, 60, T0 + MINUTE);
        hour_add(&hour, HOUR_BEATS, 12, T0 + 2 * MINUTE);
        hour_format(&hour, HOUR_BEATS, &text);
        assert_string_equal(text_string(&text), "0x57 60x2 12");
        other.minute = hour.minute;
        assert_true(hour_parse(&other, HOUR_BEATS, text_string(&text)));
        assert_memory_equal(&other, &hour, sizeof(hour));

        for (unsigned i = 0; i < HOUR_MINUTES; i++)
                hour_add(&hour, HOUR_REQUESTS, UINT32_MAX - i, T0 + (100 + i) * MINUTE);
        hour_format(&hour, HOUR_REQUESTS, &long_text);
        assert_true(long_text.size < HOUR_TEXT_MAX);
        other.minute = hour.minute;
        assert_true(hour_parse(&other, HOUR_REQUESTS, text_string(&long_text)));
        assert_memory_equal(
                other.counts[HOUR_REQUESTS], hour.counts[HOUR_REQUESTS], sizeof(hour.counts[HOUR_REQUESTS]));
}

static void test_bad_text(void **state _unused_) {
        static const char *const table[] = { "", "0x59", "0x61", "0x60 1", "0x59 ", "0x59 4294967296",
                "0x59  1", "0x59 -1", "0x59 x", "0x0 0x60", "0x60x", "ax60", "0x18446744073709551617",
                "0x59,1", "0x59 1\n" };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Hour hour = { .minute = 7 }, before = hour;
                if (hour_parse(&hour, HOUR_BEATS, table[i]))
                        fail_msg("'%s' was taken", table[i]);
                assert_memory_equal(&hour, &before, sizeof(hour));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_minutes),
                cmocka_unit_test(test_forgets),
                cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_bad_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
