/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-snippet.h"

#define HEAD "import java.util.*;\n\n"
#define CLASS(members, body)                                                                                \
        "class prog {\n" members "\npublic static void main(String[] args) {\n" body "}\n}"

static const struct {
        const char *code, *program; /* NULL: error: unmatched brackets */
        bool no_main, no_headers;
} cases[] = {
        { "f();", HEAD "\n" CLASS("", "f();\n") },
        { "int f(int a) { return a; } g(f(1));",
                HEAD "\n" CLASS("\nint f(int a) {\n return a;\n }\n", "g(f(1));\n") },
        { "import java.io.*; f();", "import java.io.*;\n\n" CLASS("", "f();\n") },
        { "g(\"import java\");", HEAD "\n" CLASS("", "g(\"import java\");\n") },
        { "{ f(); }", HEAD "\n" CLASS("", "\n f();\n") },
        { "{", HEAD "\n" CLASS("", "{\n") },
        { "class A { int x; } new A();", HEAD "\n" CLASS("", "class A {\n int x;\n }\n new A();\n") },
        { "class A { int f() { return 1; } } new A().f();",
                HEAD "\n" CLASS("class A {\n\nint f() {\n return 1;\n }\n}", "\n new A().f();\n") },
        { "int x = 1; // foo;\n x++;", HEAD "\n" CLASS("", "int x = 1;\n // foo;\n x++;\n") },
        { "int f() { return 1;", NULL },
        { "f();", CLASS("", "f();\n"), false, true },
        { "class X { }", "import java.util.*;", true, false },
        /* Where main() is given. */
        { "public static void main(String[] a) { }",
                HEAD "\nclass prog {\n\npublic static void main(String[] a) {\n }\n\n}" },
        { "class prog { public static void main(String[] a) { } }",
                HEAD "\nclass prog {\n\npublic static void main(String[] a) {\n }\n}" },
        { "class prog { public static void main(String[] a) { } }",
                HEAD "\nclass prog {\n\npublic static void main(String[] a) {\n }\n}", true, false },
};

static void test_programs(_unused_ void **state) {
        const SnippetStyle style = { .prelude = "import java.util.*;\n\n" };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const SnippetOptions options = { .no_main = cases[i].no_main,
                        .no_headers = cases[i].no_headers };
                _cleanup_text_ Text code = text_of(cases[i].code), program = {};

                int r = snippet_complete_java(&code, &style, &options, &program);
                assert_int_equal(r, cases[i].program ? SNIPPET_COMPLETE : SNIPPET_UNBALANCED);
                if (cases[i].program)
                        assert_text(cases[i].code, &program, cases[i].program);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_programs) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
