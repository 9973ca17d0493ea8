/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What pbotvmctl shows of the journal, from a journal that systemd's own program has made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/types.h>

#include <cmocka.h>

#include "ctl/recent.h"

static char folder[] = "/tmp/test-recent-XXXXXX";

/* Entries in the journal's export format: who (_UID is the journal's own word), of which machine, what. */
static const struct {
        unsigned uid;
        const char *machine, *message;
} entries[] = {
        { 991, "pbot-vm", "the watchdog speaks" },
        { 1000, "pbot-vm", "anyone forges" },
        { 992, "pbot-vm", "a handler speaks" },
        { 991, "other-vm", "of another machine" },
        { 65534, "pbot-vm", "nobody forges" },
};

static int make_journal(void **state) {
        char command[200];

        (void)state;
        if (!mkdtemp(folder))
                return -1;
        snprintf(command, sizeof(command), "%s -o %s/test.journal - >/dev/null 2>&1",
                getenv("JOURNAL_REMOTE"), folder);
        FILE *f = popen(command, "w");
        if (!f)
                return -1;
        for (size_t i = 0; i < ELEMENTSOF(entries); i++)
                fprintf(f,
                        "__REALTIME_TIMESTAMP=%zu\n__MONOTONIC_TIMESTAMP=%zu\n"
                        "_BOOT_ID=0123456789abcdef0123456789abcdef\n_UID=%u\nPBOTVM_MACHINE=%s\n"
                        "SYSLOG_IDENTIFIER=test\nMESSAGE=%s\n\n",
                        1700000000000000 + i, 1000 + i, entries[i].uid, entries[i].machine,
                        entries[i].message);
        return pclose(f);
}

static int remove_journal(void **state) {
        char path[sizeof(folder) + 20];

        (void)state;
        snprintf(path, sizeof(path), "%s/test.journal", folder);
        (void)unlink(path);
        return rmdir(folder);
}

static void read_journal(unsigned lines, Text *text) {
        static const uid_t users[] = { 0, 991, 992 };
        _cleanup_(sd_journal_closep) sd_journal *journal = NULL;

        assert_int_equal(sd_journal_open_directory(&journal, folder, 0), 0);
        assert_int_equal(recent_read(journal, "pbot-vm", users, ELEMENTSOF(users), lines, text), 0);
}

static void test_only_ours_are_shown(void **state) {
        _cleanup_text_ Text text = {};

        (void)state;
        read_journal(10, &text);
        assert_non_null(strstr(text_string(&text), "test: the watchdog speaks\n"));
        assert_non_null(strstr(text_string(&text), "test: a handler speaks\n"));
        assert_null(strstr(text_string(&text), "forges"));
        assert_null(strstr(text_string(&text), "another"));
}

static void test_the_last_ones(void **state) {
        _cleanup_text_ Text text = {};

        (void)state;
        read_journal(1, &text);
        assert_null(strstr(text_string(&text), "watchdog"));
        assert_non_null(strstr(text_string(&text), "a handler speaks\n"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_only_ours_are_shown),
                cmocka_unit_test(test_the_last_ones),
        };
        return cmocka_run_group_tests(tests, make_journal, remove_journal);
}
