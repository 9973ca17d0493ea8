/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "gdb/source.h"

static Source make_source(const char *text) {
        Source source = { .name = strdup("prog.c") };

        text_append_string(&source.text, text);
        return source;
}

static void test_statements(void **state _unused_) {
        _cleanup_source_ Source source =
                make_source("first\n\n    int x = 5;  \n    print_last_statement(f(1, g(2)));\nlast");
        static const char *const lines[] = { NULL, "first", NULL, "int x = 5;", "f(1, g(2));", "last",
                NULL };

        for (unsigned i = 0; i < ELEMENTSOF(lines); i++) {
                _cleanup_text_ Text text = {};

                assert_int_equal(source_append_statement(&source, i, &text), !!lines[i]);
                assert_string_equal(text_string(&text), lines[i] ? lines[i] : "");
        }
}

static void test_wrapper(void **state _unused_) {
        _cleanup_source_ Source source = make_source("a\n    print_last_statement(f(x));\n    return 0;\n"),
                                none = make_source("int x;\n");
        size_t offset = 0;

        assert_int_equal(source_wrapper(&source, &offset), 2);
        assert_int_equal(offset, 4);
        assert_true(source_unwrap(&source));
        assert_string_equal(text_string(&source.text), "a\n    f(x);\n    return 0;\n");
        assert_false(source_unwrap(&source));
        assert_int_equal(source_wrapper(&none, &offset), 0);
}

static void test_what_is_unwrapped(void **state _unused_) {
        static const char *const cases[][2] = {
                { "print_last_statement(x * 2); // (twice)\n", "x * 2; // (twice)\n" },
                { "print_last_statement(f(\")\", ')')); /* :) */\n", "f(\")\", ')'); /* :) */\n" },
                { "print_last_statement(f(1,\n    g(2)));\nh();\n", "f(1,\n    g(2));\nh();\n" },
                { "print_last_statement(({ f(); g(); 3; }));\n", "({ f(); g(); 3; });\n" },
                { "puts(\"print_last_statement(x);\"); print_last_statement(y);\n",
                        "puts(\"print_last_statement(x);\"); y;\n" },
                { "// print_last_statement(x);\nprint_last_statement(R\"())\");\n",
                        "// print_last_statement(x);\nR\"())\";\n" },
                /* What a compiler refuses is unwrapped so that it says what is wrong. */
                { "print_last_statement(1) + 2);\nf();\n", "1) + 2;\nf();\n" },
                { "print_last_statement(f((1));\ng();\n", "f((1);\ng();\n" },
                { "my_print_last_statement(x);\n", NULL },
                { "print_last_statement(x\n", NULL },
                { "print_last_statement\n", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_source_ Source source = make_source(cases[i][0]);

                assert_int_equal(source_unwrap(&source), !!cases[i][1]);
                assert_string_equal(text_string(&source.text), cases[i][1] ? cases[i][1] : cases[i][0]);
        }
}

static void test_missing_file(void **state _unused_) {
        Source source = {};

        assert_int_equal(source_load("/nonexistent/prog.c", &source), -ENOENT);
        assert_null(source.name);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_statements),
                cmocka_unit_test(test_wrapper),
                cmocka_unit_test(test_what_is_unwrapped),
                cmocka_unit_test(test_missing_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
