/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan/macros.h"

static const struct {
        const char *code;
        const char *options; /* joined by blanks */
} cases[] = {
        { "int main() { print(x); dump(y); return watch(z); }", "" },
        { "void print(int x) { }", "-D__PBOTVM_NO_print" },
        { "char *dump (void);\nstruct node *\nwatch(int)", "-D__PBOTVM_NO_dump -D__PBOTVM_NO_watch" },
        { "#define trace(x) x", "-D__PBOTVM_NO_trace" },
        { "list.print(); p->dump();", "-D__PBOTVM_NO_dump -D__PBOTVM_NO_print" },
        { "std::print(\"x\");", "-D__PBOTVM_NO_print" },
        { "x = print(y); (print(z)); else print(1);", "" },
        { "void printer(int); void reprint(int); int print;", "" },
        { "", "" },
        { "print(", "" },
};

static void test_hides_what_the_program_has(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text code = {}, joined = {};
                _cleanup_words_ Words options = {};

                text_append_string(&code, cases[i].code);
                macros_hide(&code, &options);
                assert_int_equal(words_error(&options), 0);
                for (size_t k = 0; k < options.n; k++)
                        text_append_printf(&joined, "%s%s", k > 0 ? " " : "", options.items[k]);
                assert_string_equal(text_string(&joined), cases[i].options);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hides_what_the_program_has),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
