/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How pbotvmctl shows things. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include <locale.h>
#include <time.h>

#include "common/json.h"
#include "ctl/format.h"
#include "ctl/hour-picture.h"
#include "ctl/report.h"

static void test_span(void **state) {
        static const struct {
                uint64_t usec;
                const char *text;
        } cases[] = {
                { 0, "0.0 s" },
                { 449999, "0.4 s" },
                { 9 * USEC_PER_SEC, "9.0 s" },
                { 10 * USEC_PER_SEC, "10 s" },
                { 119 * USEC_PER_SEC, "119 s" },
                { 120 * USEC_PER_SEC, "2 min" },
                { 7199 * USEC_PER_SEC, "119 min" },
                { 7200 * USEC_PER_SEC, "2 h" },
                { 47 * 3600 * USEC_PER_SEC, "47 h" },
                { 48 * 3600 * USEC_PER_SEC, "2 days" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text text = {};
                format_span(&text, cases[i].usec);
                assert_string_equal(text_string(&text), cases[i].text);
        }
}

static void test_time(void **state) {
        _cleanup_text_ Text text = {};

        (void)state;
        (void)setenv("TZ", "UTC", true);
        tzset();
        format_time(&text, 1700000000 * USEC_PER_SEC);
        assert_string_equal(text_string(&text), "2023-11-14 22:13:20");
}

/* A guest must not write to the operator's terminal. */
static void test_untrusted(void **state) {
        _cleanup_text_ Text text = {};

        (void)state;
        format_untrusted(&text, "a\x1B[2Jb\n\x7F\xC3\xA9");
        assert_string_equal(text_string(&text), "a?[2Jb??\xC3\xA9");
        /* Nor by U+009B, which is such an ESC [ in one, nor by its byte alone. A character may be cut. */
        text_clear(&text);
        format_untrusted(&text, "a\xC2\x9B"
                                "2J\x9Bz\xC3");
        assert_string_equal(text_string(&text), "a?2J?z?");
}

static void test_colours(void **state) {
        (void)state;
        assert_string_equal(format_state_colour("failed", false), "");
        assert_string_equal(format_state_colour("ready", true), format_state_colour("busy", true));
        assert_string_not_equal(format_state_colour("ready", true), format_state_colour("failed", true));
        assert_string_equal(format_state_colour("unknown", true), "");
        (void)setlocale(LC_ALL, "C");
        assert_string_equal(format_dot(true), "*");
}

static void test_hour_picture(void **state) {
        static const struct {
                unsigned width;
                const char *beats; /* the whole line */
        } cases[] = {
                { 80, "beats    ........................................:-=+*%#######.,##### 885\n" },
                { 79, "beats    ....................:=*###=+## 885\n" },
                { 50, "beats    ....................:=*###=+## 885\n" },
                { 0, "beats    ......,%## 885\n" },
        };
        LastHour hour = { .known = true };

        (void)state;
        for (unsigned i = 40; i < HOUR_MINUTES; i++)
                hour.counts[HOUR_ROW_BEATS][i] = i == 53 ? 0 : i == 54 ? 1 : MIN((i - 39) * 8, 60u);
        hour.counts[HOUR_ROW_REQUESTS][59] = 3;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text text = {};
                hour_picture(&text, &hour, 3, cases[i].width, false);
                const char *second = strchr(text_string(&text), '\n') + 1;
                size_t size = (size_t)(second - text_string(&text));
                char *line = strndup(text_string(&text), size);
                assert_string_equal(line, cases[i].beats);
                free(line);
                assert_int_equal(strncmp(second, "   requests .", 13), 0);
                assert_non_null(strstr(second, "# 3\n   reverts  ."));
        }
        _cleanup_text_ Text blocks = {};
        hour_picture(&blocks, &hour, 0, 0, true);
        assert_non_null(strstr(text_string(&blocks), "\xC2\xB7\xC2\xB7"));
        assert_non_null(strstr(text_string(&blocks), "\xE2\x96\x88 3\n"));
}

static void test_width(void **state) {
        (void)state;
        (void)setenv("COLUMNS", "132", true);
        assert_int_equal(format_width(), 132);
        (void)setenv("COLUMNS", "wide", true);
        assert_true(format_width() > 0);
        (void)unsetenv("COLUMNS");
}

static void test_json(void **state) {
        static char name[] = "a\"b", empty[] = "", ready[] = "ready";
        const MachineInfo machine = { .name = name,
                .path = empty,
                .domain = empty,
                .policy = empty,
                .state = ready,
                .state_reason = empty,
                .guest = empty,
                .transport = empty,
                .last_revert_reason = empty,
                .last_beat = empty,
                .snapshot_made_by = empty,
                .generation = 3,
                .heartbeat_age_usec = USEC_INFINITY,
                .cpu_usage = 0.5 };
        _cleanup_json_ Json *json = NULL;
        _cleanup_text_ Text text = {};
        int64_t n;

        (void)state;
        assert_int_equal(report_list((MachineInfo[]){ machine, machine }, 2, &text), 0);
        assert_int_equal(json_parse(text.data, text.size, JSON_LIMITS_FILE, &json, NULL), 0);
        assert_int_equal(json_size(json), 2);
        const Json *first = json_at(json, 0);
        assert_string_equal(json_string(json_member(first, "name"), NULL), "a\"b");
        assert_int_equal(json_type(json_member(first, "domain")), JSON_NULL);
        assert_int_equal(json_type(json_member(first, "heartbeat_age_usec")), JSON_NULL);
        assert_int_equal(json_type(json_member(first, "last_revert_usec")), JSON_NULL);
        assert_int_equal(json_type(json_member(first, "snapshot_usec")), JSON_NULL);
        assert_int_equal(json_type(json_member(first, "snapshot_made_by")), JSON_NULL);
        assert_int_equal(json_type(json_member(first, "last_hour")), JSON_NULL);
        assert_int_equal(json_integer(json_member(first, "cpu_percent"), &n), 0);
        assert_int_equal(n, 50);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_span),
                cmocka_unit_test(test_time),
                cmocka_unit_test(test_untrusted),
                cmocka_unit_test(test_colours),
                cmocka_unit_test(test_hour_picture),
                cmocka_unit_test(test_width),
                cmocka_unit_test(test_json),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
