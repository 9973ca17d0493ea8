/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-snippet.h"

static const struct {
        const char *program, *formatted;
} cases[] = {
        { "int main(void) { if(x){puts( \"a;b\" );} return 0;\n }",
                "int main(void)\n{\n    if (x) {\n        puts(\"a;b\");\n    }\n\n    return 0;\n}" },
        { "int main() { }", "int main() { }" },
        { "#define N 5\nint x;", "#define N 5\nint x;" },
        /* It knows none of these and would break them. */
        { "int a<:3:> = <% 1 %>;", "int a<:3:> = <% 1 %>;" },
        { "int  a<:3];", "int  a<:3];" },
        { "%:define X 3\nint x=X;", "%:define X 3\nint x=X;" },
        { "vector<::a> x; puts(\"<%\" );", "vector<::a> x;puts(\"<%\");" },
        { "", "" },
};

static void test_programs(_unused_ void **state) {
        _cleanup_(formatter_freep) Formatter *formatter = NULL;

        assert_int_equal(formatter_open(&formatter), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text program = text_of(cases[i].program);

                assert_int_equal(formatter_run(formatter, DIALECT_CXX, &program), 0);
                assert_text(cases[i].program, &program, cases[i].formatted);
        }
}

static void test_nul_is_left_alone(_unused_ void **state) {
        _cleanup_(formatter_freep) Formatter *formatter = NULL;
        _cleanup_text_ Text program = text_of("int  x;");

        text_append(&program, "\0int y;", 7);
        assert_int_equal(formatter_open(&formatter), 0);
        assert_int_equal(formatter_run(formatter, DIALECT_CXX, &program), 0);
        assert_int_equal(program.size, 14);
        assert_memory_equal(program.data, "int  x;\0int y;", 14);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_programs),
                cmocka_unit_test(test_nul_is_left_alone),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
