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

                assert_int_equal(end_of_main_line(&source), ends[i].brace);
        }
}

/* Instructions as compilers gave them, shortened, each with its line; that at N has address 0xN, line 9 is
 * the brace's. */
static const struct {
        const char *code;
        uint64_t places[4]; /* in the order in which they are found */
} places[] = {
        /* vector<string> v{ "a" }; int b = 4; g++: temporaries are the brace's */
        { "9 call <A>\n7 call <V>\n9 call <_ZNSaIcED1Ev>\n8 movl $4\n9 call <_ZN1VD1Ev>\n9 ret\n7 call "
          "<_ZN1AD1Ev>\n"
          "9 call <_Unwind_Resume>\n",
                { 5 } },
        /* a loop; clang++: what unwinds is the brace's, before and behind its end */
        { "6 cmp\n6 jge 0x7 <main+6>\n7 call <f>\n6 jmp 0x1 <main>\n9 mov\n6 jmp 0xa <main+9>\n9 call "
          "<_ZN1VD1Ev>\n"
          "9 ret\n9 mov\n7 call <_Unwind_Resume>\n",
                { 7 } },
        /* if (x) w = { "a" }; else w = { "b" }; */
        { "5 je 0x6 <main+5>\n9 call <A>\n6 call <V>\n9 call <_ZN1AD1Ev>\n6 jmp 0x9 <main+8>\n9 call <A>\n8 "
          "call <V>\n"
          "9 call <_ZN1AD1Ev>\n9 call <_ZN1VD1Ev>\n9 ret\n",
                { 9, 8 } },
        /* return in the middle; its variable alone is destroyed */
        { "5 call <V>\n6 je 0x4 <main+3>\n7 jmp 0x6 <main+5>\n8 call <V>\n9 call <_ZN1VD1Ev>\n9 call "
          "<_ZN1VD1Ev>\n9 "
          "ret\n",
                { 6, 5 } },
        /* string a[2]; g++: the loop over its elements is half the declaration's */
        { "8 call <_ZN1AC1Ev>\n8 jns 0x1 <main>\n8 lea\n9 cmp\n9 je 0x8 <main+7>\n8 call <_ZN1AD1Ev>\n9 jmp "
          "0x4 <main+3>\n"
          "8 nop\n9 ret\n",
                { 3 } },
        /* a loop that calls something is the program's */
        { "8 mov\n9 cmp\n9 je 0x6 <main+5>\n8 call <f>\n9 jmp 0x2 <main+1>\n9 ret\n", { 6 } },
        { "5 mov\n9 ret\n9 mov\n5 ret\n", { 2 } },
        { "9 b.eq 0x3 <main+8>\n8 bl <f>\n9 ret\n8 b 0x3 <main+8>\n", { 3 } },
        { "8 mov\n8 ret\n", {} },
        { "8 mov\n9 mov\n", {} },
        { "", {} },
};

static MiRecord *make_record(const char *code, const char *file, unsigned step) {
        _cleanup_text_ Text text = {};
        MiRecord *record = NULL;
        unsigned n = 0;

        text_append_string(&text, "^done,asm_insns=[");
        for (const char *p = code; *p; p += strcspn(p, "\n") + 1) {
                const char *instruction = strchr(p, ' ') + 1;
                text_append_printf(&text,
                        "%ssrc_and_asm_line={line=\"%.*s\",file=\"%s\",line_asm_insn=[{address=\"0x%x\","
                        "inst=\"%.*s\"}]}",
                        n > 0 ? "," : "", (int)(instruction - p - 1), p, file, 1 + n * step,
                        (int)strcspn(instruction, "\n"), instruction);
                n++;
        }
        text_append_string(&text, "]");
        assert_int_equal(mi_parse(text.data, text.size, &record), 0);
        return record;
}

static void test_places(void **state _unused_) {
        uint64_t found[END_PLACES_MAX];
        size_t n, wanted;

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_mi_record_ MiRecord *record = make_record(places[i].code, "prog.cpp", 1);

                assert_int_equal(end_of_main_places(
                                         mi_member(&record->results, "asm_insns"), "prog.cpp", 9, found, &n),
                        0);
                for (wanted = 0; wanted < n; wanted++)
                        assert_int_equal(found[wanted], places[i].places[wanted]);
                assert_int_equal(places[i].places[n], 0);
        }
}

/* What is another file's, and what is not in the order of addresses. */
static void test_no_places(void **state _unused_) {
        _cleanup_mi_record_ MiRecord *other = make_record(places[0].code, "vector", 1),
                                     *same = make_record(places[0].code, "prog.cpp", 0);
        const MiRecord *const records[] = { other, same };
        uint64_t found[END_PLACES_MAX];
        size_t n;

        for (size_t i = 0; i < ELEMENTSOF(records); i++) {
                const MiValue *lines = mi_member(&records[i]->results, "asm_insns");
                assert_int_equal(end_of_main_places(lines, "prog.cpp", 9, found, &n), 0);
                assert_int_equal(n, 0);
        }
        assert_int_equal(end_of_main_places(NULL, "prog.cpp", 9, found, &n), 0);
        assert_int_equal(n, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_end_of_main),
                cmocka_unit_test(test_places),
                cmocka_unit_test(test_no_places),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
