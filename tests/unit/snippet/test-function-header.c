/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/function-header.h"
#include "test-snippet.h"

/* Parts as the pattern of the description reads them, with a greedy backtracking matcher. */
static const struct {
        const char *code;
        const char *type, *name, *parameters; /* type NULL: there is none */
        bool java;
} cases[] = {
        { "int f(void) {", "int", "f", "void" },
        { "int f (void) {", "int", "f ", "void" },
        { "x;\n  static int *f(int a, int b)\n{", "static int", "*f", "int a, int b" },
        { "int  f() {", "int ", "f", "" },
        { "int (*f(void))(int) {", "int", "(*f(void))", "int" },
        { "int f(int (*cb)(int)) {", "int", "f(int (*cb)", "int)" },
        { "int (main)(void) {", "int", "(main)", "void" },
        { "int A::f(int x) {", "int", "A::f", "int x" },
        { "x\nif (1) {", "x", "if ", "1" },
        { "int f(void) <% %>", "int", "f", "void" },
        { "int f(void) ?\?<", "int", "f", "void" },
        { "if (x) <% %>\nint f(int a) {", "int", "f", "int a" },
        { "while ((x = f())) {", "while", "(", "x = f())" },
        { "while (1) {", NULL, NULL, NULL },
        { "  main() {", " ", "main", "" },
        { " main() {", NULL, NULL, NULL },
        { "main() {", NULL, NULL, NULL },
        { "foo  (x) {", "foo", " ", "x" },
        { "case 2: if (y) {", "case", "2: if ", "y" },
        { "int x = f(void) {", NULL, NULL, NULL },
        { "int f(a) int a; {", NULL, NULL, NULL },
        { "int f(void);\nint g(void) {", "int", "g", "void" },
        { "int f(int x) const {", NULL, NULL, NULL },
        { "int\n\n f(void) {", "int", "f", "void" },
        { "\u00e9t\u00e9 \u00fc(void) {", "\u00e9t\u00e9", "\u00fc", "void" },
        { " int f() {", " int", "f", "", true },
        { "\n\n  int f() {", "  int", "f", "", true },
        { "\tint f() {", NULL, NULL, NULL, true },
        { "int a\\b() {", "int", "a\\b", "" },
        { "int a\\b() {", NULL, NULL, NULL, true },
        { "", NULL, NULL, NULL },
        { "\n \n  \n", NULL, NULL, NULL },
};

static void assert_span(const char *code, Span span, const char *expected) {
        _cleanup_text_ Text text = {};

        text_append(&text, code + span.begin, span.end - span.begin);
        assert_text(code, &text, expected);
}

static void test_headers(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(header_scanner_freep) HeaderScanner *scanner = NULL;
                const char *code = cases[i].code;
                FunctionHeader header;

                assert_int_equal(header_scanner_new(code, strlen(code), cases[i].java, &scanner), 0);
                bool found = header_scanner_find(scanner, 0, &header);
                if (found != !!cases[i].type)
                        print_error("for \"%s\":\n", code);
                assert_int_equal(found, !!cases[i].type);
                if (!found)
                        continue;
                assert_span(code, header.type, cases[i].type);
                assert_span(code, header.name, cases[i].name);
                assert_span(code, header.parameters, cases[i].parameters);
                assert_true(strchr("{<?", code[header.body]));
        }
}

static void test_from_an_offset(_unused_ void **state) {
        static const char code[] = "int f() { } int g() { }";
        _cleanup_(header_scanner_freep) HeaderScanner *scanner = NULL;
        FunctionHeader header;

        assert_int_equal(header_scanner_new(code, strlen(code), false, &scanner), 0);
        assert_true(header_scanner_find(scanner, 11, &header));
        assert_span(code, header.name, "g");
        assert_false(header_scanner_find(scanner, strlen(code), &header));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_headers),
                cmocka_unit_test(test_from_an_offset),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
