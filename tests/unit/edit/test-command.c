/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is a command and what is new code. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "edit/command.h"

/* Writes a command down: "copy=x list=y show undo*2 prepend(a) s(a|b|gi) replace(0|a|b) run diff !text". */
static char *describe(const char *code) {
        static const char *const words[] = { "again", "run", "paste" };
        _cleanup_command_ Command command = {};
        _cleanup_text_ Text out = {};
        char *ret;

        assert_int_equal(command_parse(code, strlen(code), true, &command), 0);
        if (command.copy.data)
                text_append_printf(&out, "copy=%.*s ", (int)command.copy.size, command.copy.data);
        if (command.list.data)
                text_append_printf(&out, "list=%.*s ", (int)command.list.size, command.list.data);
        if (command.show)
                text_append_string(&out, "show ");
        if (command.undo > 0)
                text_append_printf(&out, "undo*%zu ", command.undo);
        for (size_t i = 0; i < command.n_steps; i++) {
                const Step *s = &command.steps[i];
                int n = (int)s->text.size, m = (int)s->to.size;
                if (s->type == STEP_PREPEND || s->type == STEP_APPEND)
                        text_append_printf(&out, "%s(%.*s) ", s->type == STEP_PREPEND ? "prepend" : "append",
                                n, s->text.data);
                else if (s->type == STEP_SUBSTITUTE)
                        text_append_printf(&out, "s(%.*s|%.*s|%s%s) ", n, s->text.data, m, s->to.data,
                                s->global ? "g" : "", s->ignore_case ? "i" : "");
                else if (s->type == STEP_REPLACE)
                        text_append_printf(
                                &out, "replace(%d|%.*s|%.*s) ", s->number, n, s->text.data, m, s->to.data);
                else if (s->type == STEP_RUN)
                        text_append_printf(&out, "%s ", words[s->word]);
                else
                        text_append_printf(&out, "%s%s ", s->type == STEP_DIFF ? "diff" : "!",
                                text_string(&command.refusal));
        }
        if (!command_given(&command))
                text_append_string(&out, "code ");
        text_truncate(&out, out.size - 1);
        assert_int_equal(text_steal(&out, &ret, NULL), 0);
        return ret;
}

#define QUOTES "!Unbalanced single quotes.  Usage: cc "

static const struct {
        const char *code, *command;
} cases[] = {
        { "", "code" },
        { "echo a", "code" },
        { "show", "show" },
        { "  Show  ", "show" },
        { "and show", "show" },
        { "show #c", "list=#c show" },
        { "Show #c", "show" },
        { "show me the", "code" },
        { "showing", "code" },
        { "-x -y show", "show" },
        { "-x", "code" },
        { "-x\ndiff a b", "code" },
        { "-x\trun y", "code" },
        { "-x\ty run", "run" },
        { "diff", "diff" },
        { "DIFF x", "diff" },
        { "diff #c", "list=#c diff" },
        { "diff a b", "diff" },
        { "diffuse", "code" },
        { "diff_x", "code" },
        { "run", "run" },
        { "and Run it", "run" },
        { "run-parts /etc", "run" },
        { "runs", "code" },
        { "run\u2026", "run" },
        { "diff\u201dx", "diff" },
        { "run\u00e9", "code" },
        { "again and again", "again" },
        { "paste -d, a b", "paste" },
        { "pasted", "code" },
        { "undo", "undo*1" },
        { "undo undo and undo", "undo*3" },
        { "undo, undo", "undo*1" },
        { "undone", "code" },
        { "undo run", "undo*1 run" },
        { "copy", "code" },
        { "copy #c", "copy=#c" },
        { "copy #c run", "copy=#c run" },
        { "copy #c show", "copy=#c show" },
        { "copycat x", "code" },
        { "and copy x", "code" },
        { "prepend 'a'", "prepend(a)" },
        { "prepend 'a' and 'b'", "prepend(a) prepend(b)" },
        { "prepend  'a'", "code" },
        { "prepend x", "code" },
        { "prepend 'a", QUOTES "prepend 'text' [and ...]" },
        { "append 'it\\'s' run", "append(it\\'s) run" },
        { "append 'a' and 'b' append 'c'", "append(a) append(b) append(c)" },
        { "append 'a", QUOTES "append 'text' [and ...]" },
        { "appendix 'x'", "code" },
        { "remove 'a'", "replace(1|a|)" },
        { "remove all 'a'", "replace(0|a|)" },
        { "remove 'a' and 'b'", "replace(1|a|)" },
        { "remove 'a' and remove 'b'", "replace(1|a|) replace(1|b|)" },
        { "remove 'a' and 'b' with 'c'", "replace(1|a|)" },
        { "remove 'a\nb'", "replace(1|a\nb|)" },
        { "remove foo", "code" },
        { "removed 'x'", "code" },
        { "remove 'x", QUOTES "remove [all, first, .., tenth, last] 'text' [and ...]" },
        { "replace 'a' with 'b'", "replace(1|a|b)" },
        { "REPLACE 'a' WITH 'b'", "replace(1|a|b)" },
        { "replace last 'a' with 'b'", "replace(-1|a|b)" },
        { "replace nineth 'a' with 'b' replace tenth 'c' with 'd'", "replace(9|a|b) replace(10|c|d)" },
        { "replace 'a' with 'b' and 'c' with 'd'", "replace(1|a|b) replace(1|c|d)" },
        { "replace'a'with'b'", "replace(1|a|b)" },
        { "replaceall'a' with 'b'", "replace(0|a|b)" },
        { "replaced 'a' with 'b'",
                "!Bad replacement modifier 'd'; valid modifiers are 'all', 'first', 'second', ..., "
                "'tenth', 'last'" },
        { "replaced 'a'", "code" },
        { "replace 'a' with", "code" },
        { "replace 'on with 'x'", "code" },
        { "replace 'a\nb' with 'c'", "code" },
        { "replace 'a\\' with 'b'", QUOTES "replace 'from' with 'to' [and replace ... with ... [and ...]]" },
        { "replace ninth 'a' with 'z'",
                "!Bad replacement modifier 'ninth'; valid modifiers are 'all', 'first', 'second', ..., "
                "'tenth', 'last'" },
        { "replace ALL 'a' with 'z'",
                "!Bad replacement modifier 'ALL'; valid modifiers are 'all', 'first', 'second', ..., "
                "'tenth', 'last'" },
        { "s/a/b/", "s(a|b|)" },
        { "and s/a/b/gi", "s(a|b|gi)" },
        { "s/a\\/b/c\\/d/", "s(a\\/b|c\\/d|)" },
        { "s/a/b/ s/c/d/ and diff", "s(a|b|) s(c|d|) diff" },
        { "s/a/b/ for x", "s(a|b|)" },
        { "s/a/b/g\n", "!Bad regex modifier 'g\n'.  Only 'i' and 'g' are allowed." },
        { "s/a", "code" },
        { "s/a\n/b/", "code" },
        { "sed s/a/b/", "code" },
        { "s/etc/passwd",
                "!Unbalanced slashes.  Usage: cc s/regex/substitution/[gi] [and s/.../.../ [and ...]]" },
        { "s/a/b/z", "!Bad regex modifier 'z'.  Only 'i' and 'g' are allowed." },
        { "s/a/b/ and s/c/d/x", "s(a|b|) !Bad regex modifier 'x'.  Only 'i' and 'g' are allowed." },
        { "append 'a' and s/x/y/ and 'b'", "append(a) s(x|y|)" },
};

static void test_recognition(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *got = describe(cases[i].code);
                if (!streq(got, cases[i].command))
                        fail_msg("%s: %s instead of %s", cases[i].code, got, cases[i].command);
        }
}

static void test_too_many_edits(void **state) {
        _cleanup_text_ Text code = {};

        (void)state;
        for (unsigned i = 0; i < 10000; i++)
                text_append_string(&code, "s/a/b/ ");
        _cleanup_command_ Command command = {};
        assert_int_equal(command_parse(code.data, code.size, true, &command), 0);
        assert_string_equal(text_string(&command.refusal), "Too many edits.");
        assert_int_equal(command.steps[command.n_steps - 1].type, STEP_REFUSE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_recognition),
                cmocka_unit_test(test_too_many_edits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
