/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The word diff; the expected texts without newlines are those of Perl's Text::WordDiff with PBot's marks.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "edit/budget.h"
#include "edit/diff.h"
#include "edit/lcs.h"

static const struct {
        const char *older, *newer, *diff; /* NULL: no difference */
} cases[] = {
        { "echo a", "echo a", NULL },
        { "", "", NULL },
        { "echo a b c", "echo a c", "echo a `removed b` c" },
        { "echo a c", "echo a b c", "echo a `inserted b` c" },
        { "a b", "c d", "`replaced a b with c d`" },
        { "a  b", "a b", "`replaced a with a` b" },
        { "x_y z", "x_z z", "x`replaced _y with _z` z" },
        { "2.5", "2.5$1", "2.`replaced 5 with 5$1`" },
        { "", "a", "`inserted a`" },
        { "a", "", "`removed a`" },
        { "a b a c a b", "a c a b a", "a `removed b a` c a `replaced b with b a`" },
        { "h\xC3\xA9llo w", "hello w", "`replaced h\xC3\xA9llo with hello` w" },
        { "a\nb", "a\nc", "a\n`replaced b with c`" },
};

static void test_cases(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text older = {}, newer = {}, out = {};

                text_append_string(&older, cases[i].older);
                text_append_string(&newer, cases[i].newer);
                assert_int_equal(word_diff(&older, &newer, &out), cases[i].diff != NULL);
                if (!streq(text_string(&out), cases[i].diff ?: ""))
                        fail_msg("%s, %s: %s", cases[i].older, cases[i].newer, text_string(&out));
        }
}

static void test_lcs_choice(void **state) {
        const uint32_t a[] = { 1, 2, 3, 1, 2, 2, 1 }, b[] = { 3, 2, 1, 2, 1, 3 };
        /* of the subsequences of length 4, the one that Algorithm::Diff takes */
        const uint32_t expected[] = { LCS_NONE, LCS_NONE, 0, 2, 3, LCS_NONE, 4 };
        uint32_t match[ELEMENTSOF(a)];

        (void)state;
        assert_int_equal(lcs(a, ELEMENTSOF(a), b, ELEMENTSOF(b), match), 0);
        assert_memory_equal(match, expected, sizeof(match));
}

/* 30,000 equal words against as many others would be a billion pairs. */
static void test_bounded(void **state) {
        _cleanup_text_ Text older = {}, newer = {}, out = {};

        (void)state;
        for (unsigned i = 0; i < 30000; i++) {
                text_append_string(&older, i % 3 ? "a " : "b ");
                text_append_string(&newer, i % 5 ? "a " : "c ");
        }
        uint64_t start = thread_time_nsec();
        assert_int_equal(word_diff(&older, &newer, &out), 1);
        assert_true(thread_time_nsec() - start < 800000000);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_lcs_choice),
                cmocka_unit_test(test_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
