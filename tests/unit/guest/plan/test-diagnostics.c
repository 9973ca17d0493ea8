/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan/diagnostics.h"

/* The wrapper stands at offset 4 of line 42. */
static const DiagnosticsPlace place = { "prog.c", 42, 4 };

static const struct {
        const char *said, *expected;
} cases[] = {
        { "", "" },
        /* Twice the same, once for the type and once for the value. */
        { "prog.c:42:28: warning: w\nprog.c:42:28: warning: w\n", "prog.c:42:7: warning: w\n" },
        /* Likewise, with a note of another place. */
        { "prog.c:42:33: warning: w\nprog.c:39:26: note: n\nprog.c:42:33: warning: w\nprog.c:39:26: note: "
          "n\n"
          "prog.c:42:34: warning: v\nprog.c:39:26: note: n\n",
                "prog.c:42:12: warning: w\nprog.c:39:26: note: n\nprog.c:42:13: warning: v\nprog.c:39:26: "
                "note: n\n" },
        /* Of another line, what the compiler says twice it means twice. */
        { "prog.c:41:28: warning: w\nprog.c:41:28: warning: w\n",
                "prog.c:41:28: warning: w\nprog.c:41:28: warning: w\n" },
        { "prog.c:42:5: warning: w\n", "prog.c:42:5: warning: w\n" },
        { "prog.c: In function 'main':\nprog.c:42:26: error: e\n",
                "prog.c: In function 'main':\nprog.c:42:5: error: e\n" },
        { "In file included from prog.c:37:\nprog.c: In function 'main':\nprog.c:42:28: warning: w\n",
                "prog.c: In function 'main':\nprog.c:42:7: warning: w\n" },
        { "In file included from prog.c:37:\nx.h:1:1: warning: w\n",
                "In file included from prog.c:37:\nx.h:1:1: warning: w\n" },
        { "prog.c:42:28: warning: w\nprelude.h:9:5: note: expanded from macro 'print_last_statement'\n",
                "prog.c:42:7: warning: w\n" },
        { "prog.c:42:28: warning: w\n   42 |     print_last_statement(n << 33);\n"
          "      |                            ^~\n",
                "prog.c:42:7: warning: w\n   42 |     n << 33;\n      |       ^~\n" },
        { "prog.c:42:28: warning: w\n    print_last_statement(n << 33);\n                           ^~\n",
                "prog.c:42:7: warning: w\n    n << 33;\n      ^~\n" },
        { "prog.c:42:28: warning: w\n   42 |     print_last_statement(n);\n      |                          "
          "^\n"
          "prog.c:42:28: warning: w\n   42 |     print_last_statement(n);\n      |                          "
          "^\n"
          "2 warnings generated.\n",
                "prog.c:42:7: warning: w\n   42 |     n;\n      |     ^\n" },
        { "prog.c:42:42: warning: f\nprog.c:42:44: note: format string is defined here\n",
                "prog.c:42:23: warning: f\n" },
        { "prog.c:42:28: warning: no newline", "prog.c:42:7: warning: no newline" },
        { "/usr/bin/ld: x.o: in function `main':\nprog.c:42: undefined reference to `f'\n",
                "/usr/bin/ld: x.o: in function `main':\nprog.c:42: undefined reference to `f'\n" },
};

static void test_unwraps(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text text = {};

                diagnostics_unwrap(&text, cases[i].said, strlen(cases[i].said), &place);
                assert_string_equal(text_string(&text), cases[i].expected);
        }
}

static bool have_error(const char *said) {
        return diagnostics_have_error(said, strlen(said), "prog.c", 42);
}

static void test_finds_errors(void **state _unused_) {
        assert_true(have_error("prog.c:42:5: error: e\n"));
        assert_true(have_error("prog.c:41:5: warning: w\nprog.c:42:5: fatal error: e\n"));
        assert_true(have_error("/usr/include/prelude.h:9:5: error: e\n"));
        assert_true(have_error(
                "prog.c:44:1: error: unterminated argument list invoking macro \"print_last_statement\"\n"));
        assert_false(have_error("prog.c:42:5: warning: w\n"));
        assert_false(have_error("prog.c:41:5: error: e\n"));
        assert_false(have_error("collect2: error: ld returned 1 exit status\n"));
        assert_false(have_error(""));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_unwraps),
                cmocka_unit_test(test_finds_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
