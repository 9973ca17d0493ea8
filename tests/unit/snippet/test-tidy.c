/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-snippet.h"

static const struct {
        const char *program, *c, *java;
} cases[] = {
        { " \n a|nb\u00a0\n", "a\nb", "a\nb" },
        { "a;\n;\n}", "a;\n}", "a;\n}" },
        { "a;\n;\n;\n}", "a;\n;\n}", "a;\n;\n}" },
        { "{\n;\n}", "{\n}", "{\n}" },
        { "}\n  \n;\nx", "}\nx", "}\nx" },
        { "{ ;\nx", "{ ;\nx", "{ ;\nx" },
        { "a\n\n\n\nb", "a\n\nb", "a\n\nb" },
        { "a\n\n\n\n\nb", "a\n\n\nb", "a\n\n\nb" },
        { "a; /* c */ ;\nb", "a; /* c */ ;\nb", "a; /* c */ b" },
        { "a;\n // c\n;\n}", "a;\n // c\n;\n}", "a;\n // c\n}" },
        { "a;\n // c;\n b;\n}", "a;\n // c;\n b;\n}", "a;\n // c;\n b;\n}" },
        { "a; /* c", "a; /* c", "a; /* c" },
        { "", "", "" },
};

static void test_tidy(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text program = text_of(cases[i].program), c = {}, java = {};

                assert_int_equal(program_tidy(&program, false, &c), 0);
                assert_text(cases[i].program, &c, cases[i].c);
                assert_int_equal(program_tidy(&program, true, &java), 0);
                assert_text(cases[i].program, &java, cases[i].java);
        }
}

static const struct {
        const char *code, *unwrapped;
} brace_cases[] = {
        { "{ a }", " a " },
        { "{}", "" },
        { "{", "{" },
        { "{ a } b", "{ a } b" },
        { "{ a } { b }", "{ a } { b }" },
        { "{ \"}\" }", " \"}\" " },
        { "{ /* } { */ }", " /* } { */ " },
        { "", "" },
};

static void test_braces(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(brace_cases); i++) {
                _cleanup_text_ Text code = text_of(brace_cases[i].code);

                assert_int_equal(braces_unwrap(&code), 0);
                assert_text(brace_cases[i].code, &code, brace_cases[i].unwrapped);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_tidy),
                cmocka_unit_test(test_braces),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
