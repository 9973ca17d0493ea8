/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-snippet.h"

#define HEAD "#include <prelude.h>\n\n"
#define MAIN(body) "int main(int argc, char *argv[]) {\n" body "return 0;\n}"
#define P(statement) " print_last_statement(" statement ");\n"

static const SnippetStyle gnu = {
        .prelude = "#include <prelude.h>\n\n", .force_prelude = true, .wrap_last_statement = true
};

static const struct {
        const char *code, *program; /* NULL: error: unmatched brackets */
        bool unterminated;
} cases[] = {
        { "int x = 5; x", HEAD MAIN("int x = 5;\n" P("x")) },
        { "puts(\"hi\")", HEAD MAIN("puts(\"hi\")\n;\n") },
        { "int f(int a) { return a*2; } f(21)", HEAD "int f(int a) { return a*2;\n }\n\n" MAIN(P("f(21)")) },
        { "int f(int x) { return x; }; f(3)", HEAD "int f(int x) { return x;\n }\n\n" MAIN(P("f(3)")) },
        { "puts(\"a\"); int f(void) { return 1; } f()",
                HEAD "\nputs(\"a\");\n \nint f(void) { return 1;\n }\n\n" MAIN(P("f()")) },
        { "int f(void) { } int g(void) { } g()",
                HEAD "int f(void) { }\n \nint g(void) { }\n\n" MAIN(P("g()")) },
        { "int main() { return 0; } int g;", HEAD "int main() { return 0;\n }" },
        { "int (main)(void) { return 0; }", HEAD "int (main)(void) { return 0;\n }" },
        { "main() { puts(\"x\"); }", HEAD MAIN("main() { puts(\"x\");\n }\n") },
        { "#include <stdio.h> int x; x",
                "#include <stdio.h>\n\n#include <prelude.h>\n\n\n" MAIN("int x;\n" P("x")) },
        { "#define N 5\nN", HEAD "#define N 5\n\n\n" MAIN(P("N")) },
        { "#define N 5", HEAD MAIN("#define N 5\n;\n"), true },
        { "int x; #define Y 2", HEAD MAIN("int x;\n #define Y 2\n;\n"), true },
        { "\"#include\"", HEAD MAIN("\"#include\"\n;\n") },
        { "// #include\nx", "#include <prelude.h>\n\n\n" MAIN("// #include\n" P("x")) },
        { "{ int x = 1; x }", HEAD MAIN(" int x = 1;\n" P("x ")) },
        { "{ printf(\"a\"); } { printf(\"b\"); }",
                HEAD MAIN("{ printf(\"a\");\n } { printf(\"b\");\n }\n") },
        { "}; x", HEAD "\n};\n" MAIN("\n" P("x")) },
        { "x; }", HEAD MAIN("x;\n }\n") },
        { ";;;", HEAD MAIN(";\n") },
        { "", HEAD MAIN("") },
        /* What only looks like a function. */
        { "while ((x = f())) { g(); } h()", HEAD MAIN("while ( (x = f())) { g();\n } h()\n;\n") },
        { "if (0) a(); else if (b) { c; } int f() { } d",
                HEAD MAIN("if (0) a();\n else if  (b) { c;\n } int f() { } d\n;\n") },
        { "int f(a) int a; { return a; } f(1)", HEAD MAIN("int f(a) int a;\n { return a;\n } f(1)\n;\n") },
        /* Comments. */
        { "/* c */ int x = 5; x", HEAD MAIN("/* c */ int x = 5;\n" P("x")) },
        { "int f(void) { return 1; } /* t */ f()", HEAD "int f(void) { return 1;\n }\n\n" MAIN(P("f()")) },
        { "int f(void) { return 1; } // t\nf()",
                HEAD "int f(void) { return 1;\n }\n\n" MAIN("// t\n" P("f()")) },
        { "// c\nint f(void) { return 1; } f()", HEAD "int f(void) { return 1;\n }\n\n" MAIN(P("f()")) },
        { "// c\nint x;\nint f(void) { return 1; } f()",
                HEAD "\n// c\nint x;\n\nint f(void) { return 1;\n }\n\n" MAIN(P("f()")) },
        { "/* c */ int f(void) { return 1; } f()",
                HEAD "\n/* c */ \nint f(void) { return 1;\n }\n\n" MAIN(P("f()")) },
        { "int f(void /* { */) // {\n{ return '/*'; /* } */ } f()",
                HEAD "int f(void  ) { return '/*';\n   }\n\n" MAIN(P("f()")) },
        { "/* int f() { } */ x", HEAD MAIN("/* int f() { } */ x\n;\n") },
        { "// don't do; that; x\\nint y; y", HEAD MAIN("// don't do; that; x\\nint y; y\n;\n") },
        { "/* open", HEAD MAIN("/* open\n;\n") },
        /* Brackets. */
        { "int f(void) {", NULL },
        { "int f() { puts(\"{\"); return 1; } f()", NULL },
        { "int main(void) <% puts(\"x\"); %>", HEAD "int main(void) { puts(\"x\");\n }" },
        { "int f(void) <% return 1; %> f()", HEAD "int f(void) { return 1;\n }\n\n" MAIN(P("f()")) },
        { "int f(void) ?\?< if (1) <% return 1; %> ?\?> f()",
                HEAD "int f(void) { if (1) <% return 1;\n %> }\n\n" MAIN(P("f()")) },
        { "int f(void) <% puts(\"%>\"); %> f()", HEAD "int f(void) { puts(\"%>\");\n }\n\n" MAIN(P("f()")) },
        { "// /* \nint f(void) { return 1; } /* */ f()",
                HEAD "int f(void) { return 1;\n }\n\n" MAIN(P("f()")) },
        { "int f(void) <% return '\"'; f()", NULL },
        { "int f() { gdb(\"x\"); } f()", HEAD "int f() { gdb(\"x\");\n }\n\n" MAIN("f()\n;\n") },
        { "puts(\"a|nb\");", HEAD MAIN("puts(\"a\nb\");\n") },
};

static void complete(const char *input, const SnippetStyle *style, const SnippetOptions *options,
        const char *program, bool warned) {
        _cleanup_text_ Text code = text_of(input), completed = {};
        bool unterminated = false;

        int r = snippet_complete_c(&code, style, options, &completed, &unterminated);
        if (!program) {
                assert_int_equal(r, SNIPPET_UNBALANCED);
                return;
        }
        assert_int_equal(r, SNIPPET_COMPLETE);
        assert_text(input, &completed, program);
        assert_int_equal(unterminated, warned);
}

static void test_programs(_unused_ void **state) {
        const SnippetOptions none = {};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                complete(cases[i].code, &gnu, &none, cases[i].program, cases[i].unterminated);
}

static void test_options(_unused_ void **state) {
        const SnippetOptions no_main = { .no_main = true }, no_headers = { .no_headers = true };
        SnippetOptions include = { .includes = text_of("#include <a> #include <b> ") };

        complete("int f() { } int x;", &gnu, &no_main, HEAD "int f() { }", false);
        complete("int x;", &gnu, &no_main, "#include <prelude.h>", false);
        complete("5", &gnu, &no_headers, MAIN("5\n;\n"), false);
        complete("#include <a>\n5", &gnu, &no_headers, "#include <a>\n\n\n" MAIN("5\n;\n"), false);
        complete("5", &gnu, &include,
                "#include <a>\n#include <b>\n\n#include <prelude.h>\n\n\n" MAIN(P("5")), false);
        snippet_options_done(&include);
}

static void test_styles(_unused_ void **state) {
        const SnippetStyle tendra = { .prelude = "#define print_last_statement(s) s\n\n" };
        const SnippetStyle c89 = { .prelude = "", .block_comments_first = true };
        const SnippetOptions none = {};

        complete("int x = 1; x", &tendra, &none,
                "#define print_last_statement(s) s\n\n" MAIN("int x = 1;\n x\n;\n"), false);
        complete("#include <a>\nx", &tendra, &none, "#include <a>\n\n\n" MAIN("x\n;\n"), false);
        complete("// /* \nint f() { } */ x", &c89, &none, MAIN("// /* \nint f() { } */ x\n;\n"), false);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_programs),
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_styles),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
