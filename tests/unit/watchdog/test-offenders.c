/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdio.h>

#include "watchdog/offenders.h"

#define T0 (1000 * SEC)

static const NickLimit limit = { .count = 3, .usec = 600 * SEC };

static bool refused(Offenders *o, const char *nick, uint64_t now, uint64_t *left) {
        OffenderView view = {};
        bool first;

        bool is = offenders_refuse(o, &limit, nick, now, &view, &first);
        *left = view.left_usec;
        return is;
}

static void add(Offenders *o, const char *nick, uint64_t now) {
        assert_int_equal(offenders_add(o, nick, "#a", now), 0);
}

/* The time slides: he is refused until the one is over with which there were too many. */
static void test_for_a_while(void **state _unused_) {
        Offenders o = {};
        uint64_t left;

        assert_false(refused(&o, "joe", T0, &left));
        add(&o, "joe", T0);
        add(&o, "joe", T0 + 100 * SEC);
        assert_false(refused(&o, "joe", T0 + 100 * SEC, &left));
        add(&o, "joe", T0 + 200 * SEC);
        assert_true(refused(&o, "joe", T0 + 200 * SEC, &left));
        assert_int_equal(left, 400 * SEC);
        assert_false(refused(&o, "ann", T0 + 200 * SEC, &left));
        assert_true(refused(&o, "joe", T0 + 600 * SEC - 1, &left));
        assert_int_equal(left, 1);
        assert_false(refused(&o, "joe", T0 + 600 * SEC, &left));
        /* What was is not forgotten at once. */
        add(&o, "joe", T0 + 650 * SEC);
        assert_true(refused(&o, "joe", T0 + 650 * SEC, &left));
        assert_int_equal(left, 50 * SEC);
        /* Of more than enough, as when several ran at once, the last ones count. */
        add(&o, "joe", T0 + 651 * SEC);
        assert_true(refused(&o, "joe", T0 + 651 * SEC, &left));
        assert_int_equal(left, 149 * SEC);
        offenders_done(&o);
}

static void test_who_is_never_refused(void **state _unused_) {
        Offenders o = {};
        OffenderView view;
        bool first;
        size_t at = 0;

        for (int i = 0; i < 10; i++) {
                add(&o, NULL, T0);
                add(&o, "", T0);
                add(&o, "joe", T0);
        }
        assert_int_equal(o.n, 1);
        assert_false(offenders_refuse(&o, &limit, NULL, T0, &view, &first));
        assert_false(offenders_refuse(&o, &limit, "", T0, &view, &first));
        /* Where no number is configured, nobody; and what is configured later counts what was. */
        const NickLimit off = { .usec = 600 * SEC };
        assert_false(offenders_refuse(&o, &off, "joe", T0, &view, &first));
        assert_false(offenders_next(&o, &off, T0, &at, &view));
        assert_true(offenders_refuse(&o, &limit, "joe", T0, &view, &first));
        offenders_done(&o);
}

static void test_told_once(void **state _unused_) {
        Offenders o = {};
        OffenderView view;
        bool first;

        for (int i = 0; i < 3; i++)
                add(&o, "joe", T0);
        assert_true(offenders_refuse(&o, &limit, "joe", T0 + SEC, &view, &first));
        assert_true(first);
        assert_string_equal(view.nick, "joe");
        assert_string_equal(view.channel, "#a");
        assert_int_equal(view.reverts, 3);
        assert_true(offenders_refuse(&o, &limit, "joe", T0 + SEC, &view, &first));
        assert_false(first);
        assert_false(offenders_refuse(&o, &limit, "joe", T0 + 700 * SEC, &view, &first));
        for (int i = 0; i < 3; i++)
                add(&o, "joe", T0 + 700 * SEC);
        assert_true(offenders_refuse(&o, &limit, "joe", T0 + 701 * SEC, &view, &first));
        assert_true(first);
        offenders_done(&o);
}

static void test_those_who_are(void **state _unused_) {
        Offenders o = {};
        OffenderView view;
        size_t at = 0;

        for (int i = 0; i < 3; i++) {
                add(&o, "joe", T0);
                assert_int_equal(offenders_add(&o, "bob", NULL, T0 + 100 * SEC), 0);
        }
        add(&o, "ann", T0);
        assert_true(offenders_next(&o, &limit, T0 + 100 * SEC, &at, &view));
        assert_string_equal(view.nick, "joe");
        assert_true(offenders_next(&o, &limit, T0 + 100 * SEC, &at, &view));
        assert_string_equal(view.nick, "bob");
        assert_string_equal(view.channel, "");
        assert_false(offenders_next(&o, &limit, T0 + 100 * SEC, &at, &view));
        at = 0;
        assert_true(offenders_next(&o, &limit, T0 + 650 * SEC, &at, &view));
        assert_string_equal(view.nick, "bob");
        offenders_done(&o);
}

/* However many nicks there are and however much each of them does. */
static void test_bound(void **state _unused_) {
        Offenders o = {};
        uint64_t left;
        char nick[16];

        for (int i = 0; i < 3; i++)
                add(&o, "joe", T0);
        for (unsigned i = 0; i < OFFENDERS_MAX - 1; i++) {
                snprintf(nick, sizeof(nick), "nick%u", i);
                add(&o, nick, T0 + SEC);
        }
        assert_int_equal(o.n, OFFENDERS_MAX);
        assert_true(refused(&o, "joe", T0 + 2 * SEC, &left));
        add(&o, "one more", T0 + 2 * SEC);
        assert_int_equal(o.n, OFFENDERS_MAX);
        assert_false(refused(&o, "joe", T0 + 2 * SEC, &left));
        for (unsigned i = 0; i < 3 * NICK_REVERTS_MAX; i++)
                add(&o, "one more", T0 + 3 * SEC + i);
        assert_true(refused(&o, "one more", T0 + 4 * SEC, &left));
        offenders_done(&o);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_for_a_while),
                cmocka_unit_test(test_who_is_never_refused),
                cmocka_unit_test(test_told_once),
                cmocka_unit_test(test_those_who_are),
                cmocka_unit_test(test_bound),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
