/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-snippet.h"

static const struct {
        const char *code, *c, *java;
} line_cases[] = {
        { "a; b", "a;\n b", "a;\n b" },
        { "a;\nb;\r\nc;", "a;\nb;\r\nc;\n", "a;\nb;\r\nc;\n" },
        { "for (a; b; c) d; e", "for (a; b; c) d;\n e", "for (a; b; c) d;\n e" },
        { ") (a; b); c", ") (a; b);\n c", ") (a; b);\n c" },
        { "\"a;b\" ';' \"\\\";\"", "\"a;b\" ';' \"\\\";\"", "\"a;b\" ';' \"\\\";\"" },
        { "if (a) { b; }", "if (a) { b;\n }", "if (a) {\n b;\n }\n" },
        { "int[] a = {1};", "int[] a = {1};\n", "int[] a = {\n1};\n" },
        { "// don't; x", "// don't; x", "// don't; x" },
        { "a; // b; c\nd;", "a;\n // b;\n c\nd;\n", "a;\n // b c\nd;\n" },
        { "a; // b; // c; d", "a;\n // b;\n // c;\n d", "a;\n // b // c;\n d" },
        { "a; // b;\nc; // d;", "a;\n // b;\nc;\n // d;\n", "a;\n // b;\nc;\n // d;\n" },
        { "// b; c", "// b;\n c", "// b;\n c" },
        { "a\\nb \"\\n\" \\\\n", "a\nb \"\\n\" \\\\n", "a\nb \"\\n\" \\\\n" },
        /* Directives end with their line, and includes where they end. */
        { "#define A x; y\nb; c", "#define A x; y\nb;\n c", NULL },
        { "#include <stdio.h> int x; y", "#include <stdio.h>\n int x;\n y", NULL },
        { "#include <a> #include <b.h>\nx; y", "#include <a>\n #include <b.h>\nx;\n y", NULL },
        { "#include  <a>x", "#include  <a>\nx", NULL },
        { "#include \"foo.h\" x; y", "#include \"foo.h\"\n x;\n y", NULL },
        { "#define A 1\nint x; int y; #include <z.h> foo", "#define A 1\nint x; int y; #include <z.h>\n foo",
                NULL },
        { "#include <a", "#include <a", NULL },
        /* One that begins in a string ends with its line, also if that was put there just now. */
        { "puts(\"include\"); puts(\"x\");\n#define N 5\nx;",
                "puts(\"include\");\n puts(\"x\");\n#define N 5\nx;\n", NULL },
        { "puts(\"include\")\\nputs(\"x\");\n#if 1\nx;", "puts(\"include\")\nputs(\"x\");\n#if 1\nx;\n",
                NULL },
        /* A continued line goes on. */
        { "#define F(x) a; \\\n b; c\nd; e", "#define F(x) a; \\\n b; c\nd;\n e", NULL },
        { "", "", "" },
};

static void test_newlines(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(line_cases); i++) {
                _cleanup_text_ Text code = text_of(line_cases[i].code), c = {}, java = {};

                assert_int_equal(newlines_complete(&code, false, &c), 0);
                assert_text(line_cases[i].code, &c, line_cases[i].c);
                if (!line_cases[i].java)
                        continue;
                assert_int_equal(newlines_complete(&code, true, &java), 0);
                assert_text(line_cases[i].code, &java, line_cases[i].java);
        }
}

static const struct {
        const char *code, *head, *left;
        bool unterminated;
} head_cases[] = {
        { "#a\n#b\nx", "#a\n#b\n", "x", false },
        { " \n #a\n\n\n\n#b\n x", "#a\n\n#b\n", " x", false },
        { "using namespace std;\n x", "using namespace std;\n", " x", false },
        { "usingx\n y", "usingx\n", " y", false },
        { "#a", "", "#a", true },
        { "  #a", "", "  #a", true },
        { "x\n #a", "", "x\n #a", true },
        { "x\n#a\n", "", "x\n#a\n", false },
        { "x\n#if a\ny\n#endif", "", "x\n#if a\ny\n#endif", false },
        { "x\n\n  #a b", "", "x\n\n  #a b", true },
        { "#a \\\n b\nx", "#a \\\n b\n", "x", false },
        { "#a \\\\\n b\nx", "#a \\\\\n", " b\nx", false },
        { "", "", "", false },
};

static void test_head(_unused_ void **state) {
        static const char *const prefixes[] = { "#", "using", NULL };

        for (size_t i = 0; i < ELEMENTSOF(head_cases); i++) {
                _cleanup_text_ Text code = text_of(head_cases[i].code), head = {};

                assert_int_equal(head_split(&code, prefixes, &head), 0);
                assert_text(head_cases[i].code, &head, head_cases[i].head);
                assert_text(head_cases[i].code, &code, head_cases[i].left);
                assert_int_equal(directive_unterminated(&code), head_cases[i].unterminated);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_newlines),
                cmocka_unit_test(test_head),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
