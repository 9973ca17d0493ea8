/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "gdb/tell.h"

static void test_values(void **state _unused_) {
        static const char *const values[][2] = {
                { "5", "5" },
                { "200 '\\310'", "200 '\\xC8'" },
                { "\"h\303\251llo\"", "\"h\303\251llo\"" },
                { "\"\\377\\376\"", "\"\\xFF\\xFE\"" },
                { "\"a\\001b\\n\"", "\"a\\001b\\n\"" },
                { "\"\\\\310\"", "\"\\\\310\"" },
                { "\\3", "\\3" },
                { "0 '\\000'", "0" },
                { "{a = 1 '\\001', b = 127 '\\177', c = 97 'a'}", "{a = 1, b = 127 '\\177', c = 97 'a'}" },
                { "{34 '\"', 0 '\\000', 39 '\\'', 1 '\\001'}", "{34 '\"', 0, 39 '\\'', 1}" },
                { "\"a\", '\\000' <repeats 17 times>", "\"a\"" },
                { "{\"a\", '\\000' <repeats 17 times>, \"b\"}", "{\"a\", \"b\"}" },
                { "\"a\\000bc\\\"\\001\"", "\"a\\000bc\\\"\\001\"" },
                { "\"1 '\\000'\"", "\"1 '\\000'\"" },
                { "'\\000' <repeats 17 times>", "'\\000' <repeats 17 times>" },
                { "\\", "\\" },
        };

        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                _cleanup_text_ Text text = {};

                tell_value(&text, values[i][0]);
                assert_string_equal(text_string(&text), values[i][1]);
        }
}

static void test_printed(void **state _unused_) {
        _cleanup_text_ Text console = {}, text = {}, type = {}, types = {};

        text_append_string(&console, "$12 = {a = 1, b = 2}\n");
        tell_printed(&text, &console);
        assert_string_equal(text_string(&text), "{a = 1, b = 2}");
        text_append_string(&type, "type = struct foo {\n    int a;\n    char b[10];\n}\n");
        tell_type(&types, &type);
        assert_string_equal(text_string(&types), "struct foo { int a; char b[10]; }");
}

static const MiValue *frame_of(const MiRecord *record) {
        return mi_member(&record->results, "frame");
}

static MiRecord *parse(const char *line) {
        MiRecord *record = NULL;

        assert_int_equal(mi_parse(line, strlen(line), &record), 0);
        return record;
}

static void test_frames(void **state _unused_) {
        _cleanup_mi_record_ MiRecord *
                record = parse("*stopped,frame={func=\"f\",args=[{name=\"n\",value=\"2\"},{name=\"s\",value="
                               "\"0x1 \\\"q\\\"\"}],file=\"/home/vm/1/prog.c\",line=\"2\"}"),
               *bare = parse("*stopped,frame={addr=\"0x0\"}"),
               *other = parse("*stopped,frame={func=\"g\",args=[],file=\"stl_vector.h\",line=\"1\"}");
        Source source = { .name = (char *)"prog.c" };
        _cleanup_text_ Text text = {};

        text_append_string(&source.text, "int x;\n    f(2);\n");
        tell_frame(&text, frame_of(record), NULL);
        assert_true(tell_statement(&text, frame_of(record), &source));
        assert_string_equal(text_string(&text), "f (n=2, s=0x1 \"q\") at statement: f(2);");
        text_clear(&text);
        tell_frame(&text, frame_of(bare), NULL);
        assert_false(tell_statement(&text, frame_of(bare), &source));
        tell_frame(&text, frame_of(other), NULL);
        assert_false(tell_statement(&text, frame_of(other), &source));
        assert_string_equal(text_string(&text), "?? ()g ()");
        text_done(&source.text);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_printed),
                cmocka_unit_test(test_frames),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
