/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "gdb/end-of-main.h"

static Source make_source(const char *text) {
        Source source = { .name = strdup("prog.cpp") };

        text_append_string(&source.text, text);
        return source;
}

static const struct {
        const char *text;
        unsigned brace;
} ends[] = {
        { "int main(void)\n{\n    return 0;\n}\n", 4 },
        { "int f(void)\n{\n}\nint main(int argc, char *argv[])\n{\n    if (1) {\n    }\n}\nint g(void) "
          "{\n}\n",
                8 },
        { "int main() { return 0; }\n", 0 },
        { "int main(void);\nint f(void) {\n}\n", 0 },
        { "// int main() {\n/* main { */\nchar *s = \"main() {\";\nint main(void) {\n    puts(\"}\");\n    "
          "c = '}';\n}\n",
                7 },
        { "#define X main() {\nint domain(void) {\n}\nint main_(void) {\n}\n", 0 },
        { "int main(void) {\n    int x = 1'000;\n}\n", 3 },
        { "int main(void) {\n", 0 },
        { "const char *s = R\"(int main() {\n)\";\nint main() {\n    f(R\"x(})\")x\");\n}\n", 5 },
        { "#define BLOCK \\\n{\nint main(void) {\n}\n", 4 },
        { "int main(void) {\n    return u8'}';\n}\n", 3 },
        { "", 0 },
        { "}\n", 0 },
        { "int main(void) {\n#ifdef A\n}\n#endif\nint x;\n}\n", 6 },
        { "#ifdef A\nint f() {\n#endif\nint main(void) {\nint x;\n}\n", 6 },
        { "int main(void) {\n}\nint f() {\n}\n", 2 },
};

static void test_end_of_main(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(ends); i++) {
                _cleanup_source_ Source source = make_source(ends[i].text);

                assert_int_equal(end_of_main_find(&source).brace, ends[i].brace);
        }
}

static const struct {
        const char *body; /* from line 2 on */
        unsigned first, last;
} statements[] = {
        { "f();\nreturn 0;\n", 3, 3 },
        { "vector<string> v{ \"a\",\n\"b\" };\n", 2, 3 },
        { "g();\nfor (int i = 0; i < 2; i++) {\nf();\n}\n", 3, 5 },
        { "if (x) {\nf();\n} else {\ng();\n}\n", 2, 6 },
        { "try {\nf();\n}\ncatch (...) {\n}\n", 2, 6 },
        { "if (x)\nf();\nelse\ng();\n", 2, 5 },
        { "do {\nf();\n} while (x);\n", 4, 4 },
        { "{\nint x;\n}\n", 2, 4 },
        { "#define F {\nf([](int x) {\nreturn x;\n});\n#endif\n", 3, 5 },
        { "", 0, 0 },
};

static void test_last_statement(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(statements); i++) {
                _cleanup_source_ Source source = make_source("struct A { int m; }; int main() {\n");

                text_append_string(&source.text, statements[i].body);
                text_append_string(&source.text, "}\n");
                EndOfMain end = end_of_main_find(&source);
                assert_true(end.brace > 1);
                assert_int_equal(end.first, statements[i].first);
                assert_int_equal(end.last, statements[i].last);
        }
}

/* The lines as compilers gave them; address N is 0xN. */
static const struct {
        EndOfMain end;
        const char *lines;
        const char *addresses[3];
} places[] = {
        /* vector<vector<int>> v{ { 1 }, { 2, 3 } }; int b = 4; return 0; g++ 12 */
        { { 9, 8, 8 }, "5 9 6 9 7 8 9 6 9 0", { "0x7" } },
        /* a loop at the end, its body with such a vector, an array of strings before it; g++ 12 */
        { { 15, 9, 14 },
                "6 7 15 8 15 8 15 8 15 9 9 15 10 15 10 15 10 15 11 11 11 12 13 13 14 9 15 7 15 7 15 7 8 15",
                { "0x1b" } },
        /* the same; clang++ 14 */
        { { 15, 9, 14 },
                "6 7 7 8 8 9 9 9 10 10 11 11 11 12 15 15 7 7 15 15 8 8 15 15 10 10 13 13 14 14 9 9 15 14 15",
                { "0x21", "0xf" } },
        /* its last statement is the vector */
        { { 9, 8, 8 }, "7 9 8 9 8 9 0", { "0x4", "0x6" } },
        { { 9, 0, 0 }, "5 9", {} },
        { { 9, 8, 8 }, "5 6", {} },
        { { 9, 8, 8 }, "", {} },
        { { 9, 8, 8 }, "8 9 9 9", { "0x2" } },
};

static void test_places(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_text_ Text text = {};
                _cleanup_mi_record_ MiRecord *record = NULL;
                unsigned n = 0;

                text_append_string(&text, "^done,lines=[");
                for (const char *p = places[i].lines; *p; p += strspn(p, " ")) {
                        int digits = (int)strspn(p, "0123456789");
                        text_append_printf(
                                &text, "%s{pc=\"0x%x\",line=\"%.*s\"}", n > 0 ? "," : "", n + 1, digits, p);
                        p += digits;
                        n++;
                }
                text_append_string(&text, "]");
                assert_int_equal(mi_parse(text.data, text.size, &record), 0);
                const char *addresses[END_PLACES_MAX];
                size_t found =
                        end_of_main_places(&places[i].end, mi_member(&record->results, "lines"), addresses);
                size_t wanted = 0;
                for (; places[i].addresses[wanted]; wanted++) {
                        assert_true(wanted < found);
                        assert_string_equal(addresses[wanted], places[i].addresses[wanted]);
                }
                assert_int_equal(found, wanted);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_end_of_main),
                cmocka_unit_test(test_last_statement),
                cmocka_unit_test(test_places),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
