/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "gdb/mi.h"

static MiRecord *parse(const char *line) {
        MiRecord *record = NULL;

        assert_int_equal(mi_parse(line, strlen(line), &record), 0);
        assert_non_null(record);
        return record;
}

static void test_result(void **state _unused_) {
        _cleanup_mi_record_ MiRecord *record =
                parse("12^done,bkpt={number=\"1\",times=\"0\",thread-groups=[\"i1\",\"i2\"]},x=\"y\"\r");
        const MiValue *breakpoint = mi_member(&record->results, "bkpt");
        const MiValue *groups = mi_member(breakpoint, "thread-groups");

        assert_int_equal(record->kind, MI_RESULT);
        assert_int_equal(record->token, 12);
        assert_string_equal(record->class, "done");
        assert_string_equal(mi_text(breakpoint, "number"), "1");
        assert_int_equal(groups->type, MI_LIST);
        assert_int_equal(groups->n, 2);
        assert_string_equal(text_string(&groups->items[1].text), "i2");
        assert_string_equal(mi_text(&record->results, "x"), "y");
        assert_null(mi_text(breakpoint, "thread-groups"));
        assert_null(mi_text(breakpoint, "nosuch"));
        assert_null(mi_member(NULL, "x"));
}

static void test_list_of_results(void **state _unused_) {
        _cleanup_mi_record_ MiRecord *record =
                parse("^done,stack=[frame={level=\"0\"},frame={level=\"1\"}]");
        const MiValue *stack = mi_member(&record->results, "stack");

        assert_int_equal(stack->n, 2);
        assert_string_equal(mi_text(&stack->items[1], "level"), "1");
}

static void test_strings(void **state _unused_) {
        _cleanup_mi_record_ MiRecord *record = parse("~\"a\\n\\t\\\"\\\\\\303\\251\\001\\e\\0b\"");

        assert_int_equal(record->kind, MI_CONSOLE);
        assert_int_equal(record->stream.size, 11);
        assert_memory_equal(record->stream.data, "a\n\t\"\\\303\251\001\033\0b", 11);
}

static void test_stop(void **state _unused_) {
        _cleanup_mi_record_ MiRecord *record =
                parse("*stopped,reason=\"signal-received\",signal-name=\"SIGSEGV\",frame={func=\"f\",args=[{"
                      "name=\"p\",value=\"0x0\"}]}");
        const MiValue *arguments = mi_member(mi_member(&record->results, "frame"), "args");

        assert_int_equal(record->kind, MI_EXEC);
        assert_string_equal(record->class, "stopped");
        assert_string_equal(mi_text(&arguments->items[0], "value"), "0x0");
}

static void test_prompt(void **state _unused_) {
        _cleanup_mi_record_ MiRecord *record = parse("(gdb) ");

        assert_int_equal(record->kind, MI_PROMPT);
}

static void test_refuses(void **state _unused_) {
        static const char *const lines[] = { "", "hello", "12", "^", "^done,", "^done,x",
                "^done,x=", "^done,x=\"", "^done,x=\"\\", "^done,x={", "^done,x=[\"a\"", "^done,x=\"a\"}",
                "~no string", "~\"a\" b", "(x)", "*,x=\"y\"" };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                MiRecord *record = NULL;

                assert_int_equal(mi_parse(lines[i], strlen(lines[i]), &record), -EBADMSG);
                assert_null(record);
        }
}

static void test_depth_is_limited(void **state _unused_) {
        for (int depth = 30; depth <= 100000; depth *= 40) {
                _cleanup_text_ Text line = {};
                _cleanup_mi_record_ MiRecord *record = NULL;

                text_append_string(&line, "^done,x=");
                for (int i = 0; i < depth; i++)
                        text_append_char(&line, '[');
                for (int i = 0; i < depth; i++)
                        text_append_char(&line, ']');
                assert_int_equal(mi_parse(line.data, line.size, &record), depth == 30 ? 0 : -EBADMSG);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_result),
                cmocka_unit_test(test_list_of_results),
                cmocka_unit_test(test_strings),
                cmocka_unit_test(test_stop),
                cmocka_unit_test(test_prompt),
                cmocka_unit_test(test_refuses),
                cmocka_unit_test(test_depth_is_limited),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
