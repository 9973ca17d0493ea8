/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/io.h"
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
        { "void printer(int); void reprint(int); int print_; \"int print;\"; /* int print; */ 'print';",
                "" },
        { "R\"x(int print; \")x\"; 1'0; print(u8\"int dump;\");", "" },
        { "#define SHOW print(x)\n#define MORE(x) trace(x)\nprint(y);", "" },
        { "#undef print\nprint(y);", "-D__PBOTVM_NO_print" },
        { "auto print = [](int x) { return x; }; print(2);", "-D__PBOTVM_NO_print" },
        { "auto print{f}; print(2);", "-D__PBOTVM_NO_print" },
        { "void (*trace)(int) = f; trace(1);", "-D__PBOTVM_NO_trace" },
        { "int watch = 1, x; watch = 2;", "-D__PBOTVM_NO_watch" },
        { "int f(int (*print)(int)) { return print(3); }", "-D__PBOTVM_NO_print" },
        { "int f(void dump(int)) { dump(3); }", "-D__PBOTVM_NO_dump" },
        { "struct print { int x; }; struct print p;", "-D__PBOTVM_NO_print" },
        { "class dump { dump(int); ~dump(); };", "-D__PBOTVM_NO_dump" },
        { "struct S { void (*ptype)(int); }; s.ptype(1);", "-D__PBOTVM_NO_ptype" },
        { "typedef int whatis; whatis x = 5;", "-D__PBOTVM_NO_whatis" },
        { "typedef void (print)(int);", "-D__PBOTVM_NO_print" },
        { "enum { dump, watch };", "-D__PBOTVM_NO_dump -D__PBOTVM_NO_watch" },
        { "print(x) { return x; } main() { print(2); }", "-D__PBOTVM_NO_print" },
        { "print(x) int x; { return x; }", "-D__PBOTVM_NO_print" },
        { "function<void(int)> print(f); print(2);", "-D__PBOTVM_NO_print" },
        { "decltype(f) print(f); if (x) dump(x); while (y) watch(y);", "-D__PBOTVM_NO_print" },
        { "std::vector<int> print(int);", "-D__PBOTVM_NO_print" },
        { "template <class print> print f(print);", "-D__PBOTVM_NO_print" },
        { "auto [print, x] = pair; trace(x);", "-D__PBOTVM_NO_print" },
        { "using N::dump; dump(x);", "-D__PBOTVM_NO_dump" },
        { "#include <print>\nprint(\"x\");", "-D__PBOTVM_NO_print" },
        { "int gdb = 5; print(gdb);", "-D__PBOTVM_NO_gdb" },
        { "void gdb(int); gdb(5);", "-D__PBOTVM_NO_gdb" },
        { "gdb(\"print x\"); if (x) gdb(\"bt\"); else gdb(\"list\");", "" },
        { "case 1: print(x); default: dump(x); a ? print(x) : dump(y); (void)0, print(z); { watch(w); }",
                "" },
        { "print(x) ; dump(y)\n; trace(f)\n", "" },
        { "pri\\\nnt(x); // int print; \\\n int print;\nprint(x);", "" },
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

/* So that what is compiled ahead serves: the lines keep their numbers. */
static void test_one_is_undefined_behind_the_header_of_cxx(void **state _unused_) {
        static const struct {
                const char *before, *after, *option;
        } sources[] = {
                { "#if 0\n#endif\n\n#include <prelude.hpp>\n\nauto print = f;\n",
                        "#if 0\n#endif\n\n#include <prelude.hpp>\n#undef print\nauto print = f;\n", NULL },
                { "\n#include <prelude.hpp>\nauto print = f;\n",
                        "\n#include <prelude.hpp>\nauto print = f;\n", "-D__PBOTVM_NO_print" },
                { "\n#include <prelude.hpp>\n\nint gdb = 5;\n", "\n#include <prelude.hpp>\n\nint gdb = 5;\n",
                        "-D__PBOTVM_NO_gdb" },
                { "\n#include <prelude.hpp>\n\nint x;\n", "\n#include <prelude.hpp>\n\nint x;\n", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(sources); i++) {
                _cleanup_text_ Text source = {};
                _cleanup_words_ Words options = {};

                text_append_string(&source, sources[i].before);
                macros_hide(&source, &options);
                assert_string_equal(text_string(&source), sources[i].after);
                assert_int_equal(options.n, sources[i].option ? 1 : 0);
                if (sources[i].option)
                        assert_string_equal(options.items[0], sources[i].option);
        }
}

/* Names one inside the other, a parenthesis that is never closed: linear. */
static void test_long_code(void **state _unused_) {
        static const char *const pieces[] = { "print(", "print(x", "(", "/*", "R\"(", "'", "\\", "\\\n" };

        for (size_t i = 0; i < ELEMENTSOF(pieces); i++) {
                _cleanup_text_ Text code = {};
                _cleanup_words_ Words options = {};
                uint64_t start = now_monotonic();

                while (code.size < 1 << 18)
                        text_append_string(&code, pieces[i]);
                macros_hide(&code, &options);
                assert_true(now_monotonic() - start < 5 * USEC_PER_SEC);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hides_what_the_program_has),
                cmocka_unit_test(test_one_is_undefined_behind_the_header_of_cxx),
                cmocka_unit_test(test_long_code),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
