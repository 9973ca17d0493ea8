/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The guest's journal is told in bounded lines, whatever comes out of journalctl. */

#include "cmocka-all.h"

#include <fcntl.h>
#include <stdio.h>

#include "common/io.h"
#include "journal.h"

typedef struct Told {
        Text text;
        unsigned n;
} Told;

static void on_line(const char *line, void *userdata) {
        Told *told = userdata;

        assert_true(strlen(line) <= JOURNAL_LINE_MAX);
        text_append_printf(&told->text, "%s|", line);
        told->n++;
}

/* Runs the command, and the loop until it has ended and all is read; then ticks. then: what it does
 * afterwards, "" or more of a command. */
static void run(const char *command, const char *then, unsigned ticks, Told *told) {
        char done[] = "/tmp/test-journal-XXXXXX";
        _cleanup_text_ Text script = {};
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        uint64_t deadline = now_monotonic() + 20 * USEC_PER_SEC;
        Journal *journal;

        int fd = mkstemp(done);
        assert_true(fd >= 0);
        fd_close(fd);
        text_append_printf(&script, "%s; rm %s; %s", command, done, then);
        const char *const words[] = { "sh", "-c", text_string(&script), NULL };
        *told = (Told){};
        assert_int_equal(sd_event_new(&event), 0);
        assert_int_equal(journal_new(event, words, on_line, told, &journal), 0);
        for (int r = 1; r > 0 || access(done, F_OK) >= 0;) {
                assert_true(now_monotonic() < deadline);
                r = sd_event_run(event, 50 * USEC_PER_MSEC);
                assert_true(r >= 0);
        }
        for (unsigned i = 0; i < ticks; i++)
                journal_tick(journal);
        journal_free(journal);
}

static void test_lines(void **state _unused_) {
        Told told;

        run("printf 'one\\n\\ntwo\\033[2J\\303\\251\\tx\\n'; printf thr; sleep 0.1; echo ee; printf "
            "unfinished",
                "", 0, &told);
        assert_string_equal(text_string(&told.text), "one|two?[2J???x|three|");
        text_done(&told.text);
        run("head -c 10000 /dev/zero | tr '\\0' x; echo; echo next", "", 0, &told);
        assert_int_equal(told.n, 2);
        assert_int_equal(told.text.size, JOURNAL_LINE_MAX + 1 + strlen("next|"));
        text_done(&told.text);
}

/* More than may be told: the first four at once, then four a tick, of what is too much the newest. */
static void test_flood(void **state _unused_) {
        Told told;

        run("seq 100", "", 0, &told);
        assert_int_equal(told.n, JOURNAL_LINES_PER_SECOND);
        text_done(&told.text);
        run("seq 100000", "", 5, &told);
        assert_int_equal(told.n, JOURNAL_LINES_PER_SECOND + JOURNAL_HELD_MAX);
        assert_non_null(startswith(text_string(&told.text), "1|2|3|4|"));
        assert_non_null(strstr(text_string(&told.text), "|99999|100000|"));
        text_done(&told.text);
}

static void test_started_again(void **state _unused_) {
        Told told;
        char command[200], folder[] = "/tmp/test-journal-XXXXXX";

        assert_non_null(mkdtemp(folder));
        (void)snprintf(command, sizeof(command), "echo x >>%s/runs", folder);
        run(command, "", 59, &told);
        _cleanup_text_ Text runs = {};
        (void)snprintf(command, sizeof(command), "%s/runs", folder);
        assert_int_equal(io_read_file(AT_FDCWD, command, 100, &runs), 0);
        assert_string_equal(text_string(&runs), "x\n");
        (void)unlink(command);

        (void)snprintf(command, sizeof(command), "echo x >>%s/runs; exec sleep 0.2", folder);
        const char *const words[] = { "sh", "-c", command, NULL };
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        Journal *journal;
        assert_int_equal(sd_event_new(&event), 0);
        assert_int_equal(journal_new(event, words, on_line, &told, &journal), 0);
        for (unsigned i = 0; i < 2; i++) {
                assert_true(sd_event_run(event, 10 * USEC_PER_SEC) > 0);
                for (unsigned k = 0; k < 60; k++)
                        journal_tick(journal);
        }
        assert_true(sd_event_run(event, 10 * USEC_PER_SEC) > 0);
        journal_free(journal);
        (void)snprintf(command, sizeof(command), "%s/runs", folder);
        assert_int_equal(io_read_file(AT_FDCWD, command, 100, &runs), 0);
        assert_string_equal(text_string(&runs), "x\nx\nx\n");
        (void)unlink(command);
        (void)rmdir(folder);
}

/* It neither waits for a command that stays, nor fails without one. */
static void test_no_end(void **state _unused_) {
        const char *const none[] = { "/nonexistent/journalctl", NULL };
        Journal *journal;
        Told told;

        uint64_t begin = now_monotonic();
        run("echo x", "exec sleep 60", 0, &told);
        assert_int_equal(told.n, 1);
        text_done(&told.text);
        assert_true(now_monotonic() - begin < 20 * USEC_PER_SEC);
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        assert_int_equal(sd_event_new(&event), 0);
        assert_int_equal(journal_new(event, none, on_line, &told, &journal), 0);
        journal_tick(journal);
        journal_free(journal);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_flood),
                cmocka_unit_test(test_started_again),
                cmocka_unit_test(test_no_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
