/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The history of PBot's own programs, of either year, becomes ours. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include <ftw.h>
#include <sys/stat.h>

#include "edit/import.h"

static char directory[] = "/tmp/test-import-XXXXXX";

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

static int set_up(void **state) {
        (void)state;
        (void)strcpy(directory, "/tmp/test-import-XXXXXX");
        return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state) {
        (void)state;
        return nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static History *open_history(uint64_t max_file) {
        History *history;

        assert_int_equal(history_open(directory, max_file, 64 << 20, &history), 0);
        return history;
}

static Import import(History *history, const char *data, bool replace, bool dry) {
        struct timespec written = { .tv_sec = 1000000 };
        Import import;

        assert_int_equal(
                history_import(history, "#c", "sh", data, strlen(data), replace, dry, written, &import), 0);
        return import;
}

static void apply(History *history, const char *code, const char *expected) {
        _cleanup_(edit_done) Edit edit = {};

        assert_int_equal(edit_apply(history, "#c", "sh", code, strlen(code), true, &edit), 0);
        assert_string_equal(text_string(&edit.text), expected);
}

static void test_newest_first(void **state) {
        (void)state;
        _cleanup_(history_freep) History *history = open_history(1 << 20);
        Import got = import(history,
                "{\"code\":\"echo 3\"}\n{\"code\":\"echo 2\"}\necho {1}\n{\"code\":\"\"}\n\n", false, false);

        assert_int_equal(got.outcome, IMPORT_DONE);
        assert_int_equal(got.codes, 3);
        assert_int_equal(got.older, 0);
        apply(history, "show", "echo 3");
        apply(history, "undo", "echo 2");
        apply(history, "undo", "echo {1}");
        apply(history, "undo", "No recent code to show.");
}

/* Twice encoded, as PBot of 2026 writes; once, as somebody else may; as escapes; and a plain line. */
static void test_encoding(void **state) {
        (void)state;
        _cleanup_(history_freep) History *history = open_history(1 << 20);

        (void)import(history,
                "{\"code\":\"echo \xC3\x83\xC2\xA9\xC3\xA2\xC2\x82\xC2\xAC\"}\n{\"code\":\"echo "
                "\xC3\xA9\"}\n"
                "{\"code\":\"echo \\u00e9\"}\necho \xC3\xA9\n{\"code\":\"a\\nb\"}\n",
                false, false);
        apply(history, "show", "echo \xC3\xA9\xE2\x82\xAC");
        apply(history, "undo", "echo \xC3\xA9");
        apply(history, "undo", "echo \xC3\xA9");
        apply(history, "undo", "echo \xC3\xA9");
        apply(history, "undo", "a\nb");
}

static void test_what_is_there(void **state) {
        (void)state;
        _cleanup_(history_freep) History *history = open_history(1 << 20);

        assert_int_equal(import(history, "echo 1\n", false, true).outcome, IMPORT_DONE);
        apply(history, "show", "No recent code to show.");
        assert_int_equal(import(history, "echo 1\n", false, false).outcome, IMPORT_DONE);
        assert_int_equal(import(history, "echo 1\n", false, false).outcome, IMPORT_SAME);
        assert_int_equal(import(history, "echo 2\n", false, false).outcome, IMPORT_TAKEN);
        apply(history, "show", "echo 1");
        assert_int_equal(import(history, "echo 2\n", true, true).outcome, IMPORT_DONE);
        apply(history, "show", "echo 1");
        assert_int_equal(import(history, "echo 2\n", true, false).outcome, IMPORT_DONE);
        apply(history, "show", "echo 2");
        assert_int_equal(import(history, "\n\n", true, false).outcome, IMPORT_EMPTY);
        apply(history, "show", "echo 2");
}

static void test_too_long(void **state) {
        (void)state;
        _cleanup_(history_freep) History *history = open_history(4096);
        _cleanup_text_ Text data = {};

        for (unsigned i = 1000; i > 0; i--)
                text_append_printf(&data, "{\"code\":\"echo %u\"}\n", i);
        Import got = import(history, text_string(&data), false, false);
        assert_int_equal(got.codes + got.older, 1000);
        assert_int_equal(got.codes, 3072 / strlen("{\"code\":\"echo 999\"}\n"));
        apply(history, "show", "echo 1000");
        apply(history, "undo", "echo 999");
}

/* A full history forgets what was written to longest ago, by whomever. */
static void test_time_and_mode(void **state) {
        _cleanup_text_ Text path = {};
        struct stat st;

        (void)state;
        _cleanup_(history_freep) History *history = open_history(4096);
        (void)import(history, "echo 1\n", false, false);
        text_append_printf(&path, "%s/#c@sh.hist", directory);
        assert_int_equal(stat(text_string(&path), &st), 0);
        assert_int_equal(st.st_mtim.tv_sec, 1000000);
        assert_int_equal(st.st_mode & 07777, 0600);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_newest_first, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_encoding, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_what_is_there, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_too_long, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_time_and_mode, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
