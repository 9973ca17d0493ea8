/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When an output is answered by "Same output." */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "edit/edit.h"

#define NOW (1700000000 * USEC_PER_SEC)

static const char x51[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
static char directory[] = "/tmp/test-output-XXXXXX";

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

static int set_up(void **state) {
        (void)strcpy(directory, "/tmp/test-output-XXXXXX");
        if (!mkdtemp(directory))
                return -1;
        return history_open(directory, 4096, 1 << 20, (History **)state);
}

static int tear_down(void **state) {
        history_free(*state);
        return nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void check(
        void **state, const char *channel, const char *output, bool no_repeat, uint64_t now, int expected) {
        assert_int_equal(
                history_output(*state, channel, "sh", output, strlen(output), no_repeat, now), expected);
}

static void test_repeated(void **state) {
        check(state, "#c", x51, true, NOW, 0);
        check(state, "#c", x51, true, NOW + 240 * USEC_PER_SEC, 1);
        check(state, "#c", x51, true, NOW + 240 * USEC_PER_SEC, 1); /* the first time counts, not the last */
        check(state, "#c", x51, true, NOW + 241 * USEC_PER_SEC, 0);
        check(state, "#c", x51, true, NOW + 242 * USEC_PER_SEC, 1);
        check(state, "#c", x51, true, NOW, 0); /* the clock was set back */
}

static void test_other_output(void **state) {
        check(state, "#c", x51, true, NOW, 0);
        check(state, "#c", "short", true, NOW, 0);
        check(state, "#c", x51, true, NOW, 0);
        check(state, "#d", x51, true, NOW, 0);
}

static void test_exceptions(void **state) {
        check(state, "#c", x51, true, NOW, 0);
        check(state, "#c", x51, false, NOW, 0); /* a factoid */
        check(state, "nick", x51, true, NOW, 0);
        check(state, "nick", x51, true, NOW, 0);
        check(state, "#d", x51 + 1, true, NOW, 0);
        check(state, "#d", x51 + 1, true, NOW, 0); /* 50 characters */
}

static void test_characters_are_counted(void **state) {
        char text[2 * 51 + 1] = "";

        for (unsigned i = 0; i < 50; i++)
                (void)strcat(text, "\xC3\xA9");
        check(state, "#c", text, true, NOW, 0);
        check(state, "#c", text, true, NOW, 0);
        (void)strcat(text, "\xC3\xA9");
        check(state, "#c", text, true, NOW, 0);
        check(state, "#c", text, true, NOW, 1);
}

static void test_torn(void **state) {
        _cleanup_free_ char *path = NULL;

        check(state, "#c", x51, true, NOW, 0);
        assert_true(asprintf(&path, "%s/#c@sh.last-output", directory) > 0);
        assert_int_equal(truncate(path, 40), 0);
        check(state, "#c", x51, true, NOW, 0);
        check(state, "#c", x51, true, NOW, 1);
        assert_int_equal(truncate(path, 3), 0);
        check(state, "#c", x51, true, NOW, 0);
}

static void test_too_long_to_keep(void **state) {
        _cleanup_text_ Text output = {};

        for (unsigned i = 0; i < 5000; i++)
                text_append_char(&output, 'x');
        check(state, "#c", output.data, true, NOW, 0);
        check(state, "#c", output.data, true, NOW, 0);
        check(state, "#c", x51, true, NOW, 0);
        check(state, "#c", x51, true, NOW, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_repeated, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_other_output, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_exceptions, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_characters_are_counted, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_torn, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_too_long_to_keep, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
