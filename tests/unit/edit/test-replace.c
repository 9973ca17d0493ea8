/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* replace: which occurrence, and what counts as one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "edit/replace.h"

static const struct {
        const char *code, *command, *result; /* NULL: no replacements made */
} cases[] = {
        { "one two one", "replace 'one' with '1'", "1 two one" },
        { "one two one", "replace all 'one' with '1'", "1 two 1" },
        { "one two one", "replace last 'one' with '1'", "one two 1" },
        { "one two one", "replace second 'one' with '1'", "one two 1" },
        { "one two one", "replace third 'one' with '1'", "one two one" },
        { "one two one", "replace 'o' with '0'", NULL },
        { "ones", "replace 'one' with '1'", NULL },
        { "a_b a", "replace 'a' with 'x'", "a_b x" },
        { "\xC3\xA9"
          "a",
                "replace 'a' with 'x'", "\xC3\xA9x" }, /* words are ASCII here */
        { "a;;b;c", "replace all ';' with 'X'", "aX;bXc" },
        { "a;;b;c", "replace ';b' with 'Z'", "a;Z;c" },
        { ";;x", "replace ';' with 'X'", ";Xx" },
        { "a\n;;x", "replace ';' with 'X'", "a\n;Xx" },
        { ";;;", "replace last ';' with 'X'", ";;X" },
        { "b\na a\na", "replace last 'a' with 'X'", "b\na X\na" },
        { "a a a a", "replace first 'a' with 'x' and replace third 'a' with 'y'", "x y a a" },
        { "a a a a", "replace first 'a' with 'x' and replace second 'a' with 'y'", "x y a a" },
        { "a b", "replace 'b' with 'a' and replace 'a' with 'c'", "c a" }, /* sorted by FROM */
        { "a a", "replace all 'a' with 'b' and replace second 'b' with 'c'", "b c" },
        { "a a", "replace all 'a' with 'x a' and replace second 'a' with 'y'", "x a x y" },
        { "b c a b c", "replace 'c' with 'X' and 'c' with 'Y'", "b X a b Y" },
        { "a", "replace '' with 'x'", NULL },
        { "", "replace 'a' with 'x'", NULL },
        { "x", "remove 'x'", "" },
        { "echo \"it's\"", "replace 'it\\'s' with 'it is'", "echo \"it is\"" },
        { "a b", "replace 'b' with 'b\\'s \\n\\\\'", "a b\\'s \\n\\\\" },
        { "a'b'c", "remove all '\\''", "abc" },
};

static void test_cases(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_command_ Command command = {};
                _cleanup_text_ Text code = {}, error = {};
                Budget budget = budget_start(EDIT_BUDGET_USEC);

                text_append_string(&code, cases[i].code);
                assert_int_equal(
                        command_parse(cases[i].command, strlen(cases[i].command), true, &command), 0);
                int r = replace_all(&code, command.steps, command.n_steps, &budget, &error);
                assert_int_equal(r, cases[i].result != NULL);
                const char *expected = cases[i].result ?: cases[i].code;
                if (!streq(text_string(&code), expected))
                        fail_msg("%s: %s instead of %s", cases[i].command, text_string(&code), expected);
        }
}

static void test_budget(void **state) {
        _cleanup_command_ Command command = {};
        _cleanup_text_ Text code = {}, error = {};
        Budget budget = { .spent = true };
        const char *line = "replace 'a' with 'b'";

        (void)state;
        text_append_string(&code, "a");
        assert_int_equal(command_parse(line, strlen(line), true, &command), 0);
        assert_int_equal(replace_all(&code, command.steps, command.n_steps, &budget, &error), -EINVAL);
        assert_string_equal(text_string(&error), EDIT_TOO_SLOW);
}

/* Each place but for its end would be one: nothing is compared without end. */
static void test_time(void **state) {
        _cleanup_command_ Command command = {};
        _cleanup_text_ Text code = {}, error = {}, line = {};
        const size_t n = 200000;
        _cleanup_free_ char *letters = malloc(2 * n);

        (void)state;
        assert_non_null(letters);
        memset(letters, 'a', 2 * n);
        text_append(&code, letters, 2 * n);
        text_append_string(&line, "replace 'a");
        text_append(&line, letters, n);
        text_append_string(&line, "' with 'x'");
        assert_int_equal(command_parse(text_string(&line), line.size, true, &command), 0);

        Budget budget = budget_start(EDIT_BUDGET_USEC);
        assert_int_equal(replace_all(&code, command.steps, command.n_steps, &budget, &error), -EINVAL);
        assert_string_equal(text_string(&error), EDIT_TOO_SLOW);
        assert_true(thread_time_nsec() < budget.end_nsec + EDIT_BUDGET_USEC * NSEC_PER_USEC);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_budget),
                cmocka_unit_test(test_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
