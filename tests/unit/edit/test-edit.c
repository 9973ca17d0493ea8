/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What comes of a line: whether it is run, shown or answered, and what the history is afterwards. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include <ftw.h>

#include "edit/budget.h"
#include "edit/code-list.h"

#define SHOW_NOTHING "No recent code to show."

/* Histories are written newest first, with | between the codes. */
static const struct {
        const char *own, *other; /* of #c and of #o; NULL: none */
        const char *line;
        EditOutcome outcome;
        const char *text;
        const char *after;
        bool paste;
} cases[] = {
        { NULL, NULL, "echo a", EDIT_RUN, "echo a", "echo a" },
        { "a", NULL, "a", EDIT_RUN, "a", "a|a" },
        { "a", NULL, "-x run", EDIT_RUN, "a", "a" },
        { "a", NULL, "paste", EDIT_RUN, "a", "a", true },
        { "a", NULL, "s/a/b/ and paste", EDIT_RUN, "b", "b|a", true },
        { "a", NULL, "s/a/b/ run", EDIT_RUN, "b", "b|a" },
        { "a", NULL, "s/a// run", EDIT_RUN, "", "|a" },
        { "a", NULL, "s/b/c/", EDIT_ANSWER, "No substitutions made.", "a" },
        { "a", NULL, "append 'b' and s/x/y/", EDIT_RUN, "a b", "a b|a" },
        { "a", NULL, "replace 'a' with 'b' and s/x/y/", EDIT_ANSWER, "No substitutions made.", "a" },
        { "a", NULL, "append 'b' and replace 'x' with 'y'", EDIT_RUN, "a b", "a b|a" },
        { "a\n", NULL, "append 'b'", EDIT_RUN, "a b\n", "a b\n|a\n" },
        { "b|a", NULL, "undo", EDIT_SHOW, "a", "a" },
        { "c|b|a", NULL, "undo and s/b/x/", EDIT_RUN, "x", "x|b|a" },
        { "b|a", NULL, "undo and run", EDIT_SHOW, "a", "b|a" },
        { "b|a", NULL, "undo and paste", EDIT_SHOW, "a", "b|a" },
        { "b|a", NULL, "undo and s/z/x/", EDIT_ANSWER, "No substitutions made.", "b|a" },
        { "c|b|a", NULL, "undo diff", EDIT_ANSWER, "`replaced a with b`", "c|b|a" },
        { "a", NULL, "undo", EDIT_ANSWER, SHOW_NOTHING, "" },
        { "a", NULL, "undo undo", EDIT_ANSWER, "No more undos remaining.", "a" },
        { "a", NULL, "undo and append 'b'", EDIT_RUN, " b", " b" },
        { "", NULL, "run", EDIT_ANSWER, "No recent code to run.", "" },
        { "", NULL, "s/a/b/", EDIT_ANSWER, "No substitutions made.", "" },
        { NULL, NULL, "s/a/b/", EDIT_ANSWER, "No recent code to change.", "" },
        { "a", NULL, "diff", EDIT_ANSWER, "Not enough recent code to diff.", "a" },
        { "a|a", NULL, "diff", EDIT_ANSWER, "No difference.", "a|a" },
        { "b|a", NULL, "s/b/c/ and diff", EDIT_ANSWER, "`replaced b with c`", "c|b|a" },
        { "a", "y|x", "diff #o", EDIT_ANSWER, "`replaced x with y`", "a" },
        { "a", "y|x", "show #o", EDIT_ANSWER, "y", "a" },
        { "a", "y|x", "copy #o", EDIT_SHOW, "y", "y|a" },
        { NULL, "y|x", "copy #o", EDIT_SHOW, "y", "y" },
        { "a", "y|x", "copy #o run", EDIT_RUN, "y", "a" },
        { "a", "y|x", "copy #o s/y/z/", EDIT_RUN, "z", "z|y|a" },
        { "a", "y|x", "copy #o show", EDIT_ANSWER, "y", "a" },
        { "b|a", "y|x", "copy #o undo", EDIT_SHOW, "b", "b|a" },
        { "b|a", "y|x", "copy #o undo undo", EDIT_SHOW, "a", "a" },
        { "b|a", "y|x", "copy #o undo undo s/a/z/", EDIT_RUN, "z", "z|a" },
        { NULL, "y|x", "copy #o undo", EDIT_ANSWER, "No more undos remaining.", "" },
        { "a", "y|x", "copy #o diff", EDIT_ANSWER, "`replaced a with y`", "a" },
        { "a", NULL, "copy #o", EDIT_ANSWER, "No history for #o.", "a" },
        { "a", "y", "copy #o s/q/r/", EDIT_ANSWER, "No substitutions made.", "a" },
        { "\xC3\xA9", NULL, "show", EDIT_ANSWER, "\xC3\xA9", "\xC3\xA9" },
};

static char directory[] = "/tmp/test-session-XXXXXX";

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

/* The codes of a written history, the last one first. "" is a list that is there, and empty. */
static void write_history(const History *history, const char *channel, const char *codes) {
        _cleanup_free_ char *copy = strdup(codes);
        _cleanup_text_ Text code = {};

        assert_non_null(copy);
        for (char *bar; (bar = strrchr(copy, '|')); *bar = '\0') {
                text_clear(&code);
                text_append_string(&code, bar + 1);
                assert_int_equal(code_list_push(history, channel, "sh", &code), 0);
        }
        text_clear(&code);
        text_append_string(&code, copy);
        assert_int_equal(code_list_push(history, channel, "sh", &code), 0);
        if (!*codes) {
                _cleanup_(edit_done) Edit edit = {};
                assert_int_equal(edit_apply((History *)history, channel, "sh", "undo", 4, true, &edit), 0);
        }
}

static char *read_history(const History *history) {
        _cleanup_code_list_ CodeList list = CODE_LIST_INIT;
        _cleanup_text_ Text all = {}, code = {};
        char *ret;

        assert_int_equal(code_list_open(history, "#c", "sh", false, &list), 0);
        for (size_t i = 0; i < list.n; i++) {
                assert_int_equal(code_list_get(&list, i, &code), 1);
                if (i > 0)
                        text_append_char(&all, '|');
                text_append_text(&all, &code);
        }
        assert_int_equal(text_steal(&all, &ret, NULL), 0);
        return ret;
}

static void check_case(size_t i) {
        _cleanup_(history_freep) History *history = NULL;
        _cleanup_(edit_done) Edit edit = {};

        (void)strcpy(directory, "/tmp/test-session-XXXXXX");
        assert_non_null(mkdtemp(directory));
        assert_int_equal(history_open(directory, 1 << 20, 1 << 24, &history), 0);
        if (cases[i].own)
                write_history(history, "#c", cases[i].own);
        if (cases[i].other)
                write_history(history, "#o", cases[i].other);

        const char *line = cases[i].line;
        assert_int_equal(edit_apply(history, "#c", "sh", line, strlen(line), true, &edit), 0);
        _cleanup_free_ char *after = read_history(history);
        if (edit.outcome != cases[i].outcome || !text_equals(&edit.text, cases[i].text) ||
                edit.paste != cases[i].paste || !streq(after, cases[i].after))
                fail_msg("[%s] %s: outcome %d, %s, [%s]", cases[i].own ?: "none", line, (int)edit.outcome,
                        text_string(&edit.text), after);
        (void)nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_cases(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check_case(i);
}

/* What is edited may not grow without end. */
static void test_size(void **state) {
        _cleanup_(history_freep) History *history = NULL;
        _cleanup_text_ Text code = {}, line = {};
        _cleanup_(edit_done) Edit edit = {};

        (void)state;
        (void)strcpy(directory, "/tmp/test-session-XXXXXX");
        assert_non_null(mkdtemp(directory));
        assert_int_equal(history_open(directory, 8 << 20, 1 << 24, &history), 0);
        for (size_t i = 0; i < EDIT_SIZE_MAX - 100; i++)
                text_append_char(&code, 'a');
        assert_int_equal(code_list_push(history, "#c", "sh", &code), 0);
        text_append_printf(&line, "append '%200s'", "b");
        assert_int_equal(edit_apply(history, "#c", "sh", line.data, line.size, true, &edit), 0);
        assert_int_equal(edit.outcome, EDIT_ANSWER);
        assert_string_equal(text_string(&edit.text), EDIT_TOO_LONG);
        (void)nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_size),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
