/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-snippet.h"

#define P(statement) " print_last_statement(" statement ");"

static const struct {
        const char *rest, *printed; /* NULL: as it is */
} cases[] = {
        { "x", P("x") },
        { "x ;", P("x ") },
        { "1 + 1;", P("1 + 1") },
        { "int x = 5;\n x", "int x = 5;\n" P("x") },
        { "a;\n\n\n x;", "a;\n" P("x") },
        { "a;\r\nx", "a;\n" P("x") },
        { "\n x", "\n" P("x") },
        /* Words. */
        { "puts(1)", NULL },
        { "fprintf(stderr, \"x\")", P("fprintf(stderr, \"x\")") },
        { "printf_(1)", P("printf_(1)") },
        { "x.for", NULL },
        { "fscanf(f)", NULL },
        { "execlp(a)", NULL },
        { "exec(a)", P("exec(a)") },
        { "execution", P("execution") },
        { "__asm__(\"nop\");", NULL },
        { "_Static_assert(1, \"x\");", NULL },
        /* Declarations. */
        { "int a", NULL },
        { "unsigned\ta", NULL },
        { "sizeof a", P("sizeof a") },
        { "sizeof  a", NULL },
        { "\uff58", P("\uff58") },
        { "int\u00a0a", NULL },
        /* Signs. */
        { "a#b", NULL },
        { "x{1}", NULL },
        { "x /* c */", NULL },
        { "x // c", NULL },
        { "?\?=", NULL },
        { ")", NULL },
        { "", NULL },
        { " ", NULL },
        /* Assignments. */
        { "x = 5", NULL },
        { "x=5", NULL },
        { "*p = &q", NULL },
        { "*p=&q", P("*p=&q") },
        { "a[i]=5", P("a[i]=5") },
        { "x += 5", P("x += 5") },
        { "x == 5", P("x == 5") },
        { "a<=b", P("a<=b") },
        /* Labels: only an empty statement shows that it is one. */
        { "end: ;", NULL },
        { "foo:", P("foo:") },
        { "a ? b : c", P("a ? b : c") },
        /* A statement of several lines is printed as a whole. */
        { "f(1,\n2)", P("f(1,\n2)") },
        { "a;\n f(\"(\",\n[2],\n3);", "a;\n" P("f(\"(\",\n[2],\n3)") },
        { "puts(\"a\"\n\"b\");", NULL },
        { "f(\n1\n)", NULL },
        { "f(1,\n x = 2);", NULL },
        { "(\nx", "(\n" P("x") },
};

static void test_statements(_unused_ void **state) {
        _cleanup_text_ Text head = {};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text rest = text_of(cases[i].rest);

                assert_int_equal(last_statement_print(&rest, &head), 0);
                assert_text(cases[i].rest, &rest, cases[i].printed ?: cases[i].rest);
        }
}

static void test_macro_that_is_a_statement(_unused_ void **state) {
        _cleanup_text_ Text head = text_of("#define F(x) puts(x)\n#define G(x) do { puts(x); } while (0)\n");
        _cleanup_text_ Text expression = text_of("F(1);"), statement = text_of("G(1);"),
                            other = text_of("G2(1);");

        assert_int_equal(last_statement_print(&expression, &head), 0);
        assert_text("F", &expression, P("F(1)"));
        assert_int_equal(last_statement_print(&statement, &head), 0);
        assert_text("G", &statement, "G(1);");
        assert_int_equal(last_statement_print(&other, &head), 0);
        assert_text("G2", &other, P("G2(1)"));
}

static void test_debugger_words(_unused_ void **state) {
        _cleanup_text_ Text dump = text_of("int f() { dump(x); }"),
                            dumped = text_of("int f() { dumped(x); }");

        assert_true(uses_debugger(&dump));
        assert_false(uses_debugger(&dumped));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_statements),
                cmocka_unit_test(test_macro_that_is_a_statement),
                cmocka_unit_test(test_debugger_words),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
