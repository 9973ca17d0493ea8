/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdio.h>

#include "watchdog/transport/heartbeat.h"

#define T0 (1000 * SEC)
#define MSEC USEC_PER_MSEC

static Heartbeat connected(GuestKind kind) {
        Heartbeat h;

        heartbeat_init(&h, kind, 0);
        heartbeat_connected(&h, T0);
        return h;
}

static bool feed(Heartbeat *h, const char *text, uint64_t now) {
        return heartbeat_feed(h, text, strlen(text), now);
}

static void test_when_it_is_lost(void **state _unused_) {
        static const struct {
                GuestKind kind;
                uint64_t configured;
                const char *beat;
                uint64_t lost;
        } table[] = {
                { GUEST_PBOTVM, 0, "pbotvm 1\n", 3 * SEC },
                { GUEST_PBOT_2023, 0, "\r\n", 6500 * MSEC },
                { GUEST_PBOT_2026, 0, ":END\r\n", 6500 * MSEC },
                { GUEST_PBOTVM, 9 * SEC, "pbotvm 1\n", 9 * SEC },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Heartbeat h;

                heartbeat_init(&h, table[i].kind, table[i].configured);
                heartbeat_connected(&h, T0);
                assert_false(heartbeat_is_beating(&h, T0));
                assert_false(heartbeat_is_lost(&h, T0 + 1000 * SEC));
                assert_true(feed(&h, table[i].beat, T0 + SEC));
                assert_true(heartbeat_is_beating(&h, T0 + SEC + table[i].lost - 1));
                assert_false(heartbeat_is_lost(&h, T0 + SEC + table[i].lost - 1));
                assert_false(heartbeat_is_beating(&h, T0 + SEC + table[i].lost));
                assert_true(heartbeat_is_lost(&h, T0 + SEC + table[i].lost));
        }
}

/* What our agent tells of the guest's journal is kept, in order and bounded, and is no beat. */
static void test_words(void **state _unused_) {
        Heartbeat h = connected(GUEST_UNKNOWN);
        char line[300], text[300];

        assert_false(feed(&h, "pbotvm journal [1.0] kernel: \x1B[2J\xC3\xA9 x\n", T0 + SEC));
        assert_int_equal(h.beat_usec, 0);
        assert_true(feed(&h, "pbotvm 7 0.5 100\npbotvm journal b\r\n", T0 + SEC));
        assert_string_equal(h.last, "pbotvm 7 0.5 100");
        assert_int_equal(h.beats, 1);
        assert_string_equal(last_words_take(&h.words), "[1.0] kernel: ?[2J?? x");
        assert_string_equal(last_words_take(&h.words), "b");
        assert_null(last_words_take(&h.words));

        for (unsigned i = 0; i < 100; i++) {
                (void)snprintf(line, sizeof(line), "pbotvm journal %u\n", i);
                assert_false(feed(&h, line, T0 + 2 * SEC + i));
        }
        for (unsigned i = 100 - LAST_WORDS_LINES; i < 100; i++) {
                (void)snprintf(line, sizeof(line), "%u", i);
                assert_string_equal(last_words_take(&h.words), line);
        }
        assert_null(last_words_take(&h.words));
        /* The longest line that there is, and one that is too long for any. */
        memset(text, 'x', sizeof(text));
        (void)snprintf(line, sizeof(line), "pbotvm journal %.185s\n", text);
        assert_false(feed(&h, line, T0 + 3 * SEC));
        assert_int_equal(strlen(last_words_take(&h.words)), LAST_WORDS_SIZE);
        (void)snprintf(line, sizeof(line), "pbotvm journal %.186s\n", text);
        assert_false(feed(&h, line, T0 + 3 * SEC));
        assert_null(last_words_take(&h.words));

        assert_false(feed(&h, "pbotvm journal of this one\n", T0 + 4 * SEC));
        heartbeat_reset(&h);
        assert_null(last_words_take(&h.words));

        /* PBot's agents beat by any line. */
        h = connected(GUEST_PBOT_2023);
        assert_true(feed(&h, "pbotvm journal x\n", T0 + SEC));
        assert_null(last_words_take(&h.words));
}

static void test_an_agent_that_was_started_again(void **state _unused_) {
        Heartbeat h = connected(GUEST_PBOTVM);

        assert_true(feed(&h, "pbotvm 41 0.5 100\n", T0 + SEC));
        assert_true(feed(&h, "pbotvm 42 0.5 100\n", T0 + 2 * SEC));
        /* Asked, it says the last one again. */
        assert_true(feed(&h, "pbotvm 42 0.5 100\n", T0 + 2 * SEC));
        assert_true(feed(&h, "pbotvm x\npbotvm\npbotvm 1x\npbotvm -1\n", T0 + 3 * SEC));
        assert_false(h.restarted);
        assert_true(feed(&h, "pbotvm 1 0.5 100\n", T0 + 4 * SEC));
        assert_true(h.restarted);

        /* A guest that boots may be connected to anew, on another way even, before it beats again. */
        h = connected(GUEST_PBOTVM);
        assert_true(feed(&h, "pbotvm 99\n", T0 + SEC));
        heartbeat_disconnected(&h);
        heartbeat_connected(&h, T0 + 10 * SEC);
        assert_true(feed(&h, "pbotvm 1\n", T0 + 11 * SEC));
        assert_true(h.restarted);

        /* What lay there since the time of the last connection is no news. */
        h = connected(GUEST_PBOTVM);
        assert_true(feed(&h, "pbotvm 99\n", T0 + SEC));
        heartbeat_disconnected(&h);
        heartbeat_connected(&h, T0 + 10 * SEC);
        assert_true(feed(&h, "pbotvm 97\npbotvm 98\n", T0 + 10 * SEC + 1));
        assert_false(h.restarted);
        assert_true(feed(&h, "pbotvm 100\n", T0 + 11 * SEC));
        assert_false(h.restarted);

        /* After a revert it counts on from the snapshot's number. */
        heartbeat_disconnected(&h);
        heartbeat_reset(&h);
        heartbeat_connected(&h, T0 + 12 * SEC);
        assert_true(feed(&h, "pbotvm 7\n", T0 + 13 * SEC));
        assert_false(h.restarted);
}

static void test_kinds_are_found_out(void **state _unused_) {
        Heartbeat h = connected(GUEST_UNKNOWN);
        assert_true(feed(&h, "pbotvm 1 0.5 100\n", T0 + SEC));
        assert_int_equal(h.kind, GUEST_PBOTVM);
        assert_string_equal(h.last, "pbotvm 1 0.5 100");

        h = connected(GUEST_UNKNOWN);
        assert_true(feed(&h, "\r\n", T0 + 5 * SEC));
        assert_int_equal(h.kind, GUEST_PBOT_2023);

        /* Silent for 6 s: it is asked, and only :END is an answer. */
        h = connected(GUEST_UNKNOWN);
        assert_false(heartbeat_ask(&h, T0 + BEAT_DETECT_USEC - 1));
        assert_int_equal(heartbeat_deadline(&h, T0), T0 + BEAT_DETECT_USEC);
        assert_true(heartbeat_ask(&h, T0 + BEAT_DETECT_USEC));
        assert_false(feed(&h, "\r\nprocs -----memory\r\n 1 0\r\n\r\n", T0 + BEAT_DETECT_USEC + 10));
        assert_int_equal(h.kind, GUEST_UNKNOWN);
        assert_true(feed(&h, ":END\r\n", T0 + BEAT_DETECT_USEC + 20));
        assert_int_equal(h.kind, GUEST_PBOT_2026);

        /* A guest of 2023 that was slow to begin is told from an echo by the pause. */
        h = connected(GUEST_UNKNOWN);
        assert_true(heartbeat_ask(&h, T0 + BEAT_DETECT_USEC));
        assert_false(feed(&h, "\r\n", T0 + BEAT_DETECT_USEC + 10));
        assert_true(feed(&h, "\r\n", T0 + BEAT_DETECT_USEC + BEAT_ECHO_USEC));
        assert_int_equal(h.kind, GUEST_PBOT_2023);
        assert_false(heartbeat_ask(&h, T0 + 100 * SEC));

        /* What was found out is kept over a revert. */
        heartbeat_reset(&h);
        assert_int_equal(h.kind, GUEST_PBOT_2023);
        assert_false(heartbeat_is_lost(&h, T0 + 1000 * SEC));
}

/* A guest may be exchanged while the watchdog remembers the old one. */
static void test_a_remembered_kind_may_be_wrong(void **state _unused_) {
        Heartbeat h = connected(GUEST_UNKNOWN);

        heartbeat_recall(&h, GUEST_PBOT_2023);
        assert_true(feed(&h, "pbotvm 1 0.5 100\n", T0 + SEC));
        assert_int_equal(h.kind, GUEST_PBOTVM);
        heartbeat_reset(&h);
        heartbeat_connected(&h, T0 + 2 * SEC);
        assert_true(feed(&h, "\n", T0 + 3 * SEC));
        assert_int_equal(h.kind, GUEST_PBOT_2023);

        /* What is configured stays. */
        heartbeat_init(&h, GUEST_PBOT_2023, 0);
        heartbeat_connected(&h, T0);
        heartbeat_recall(&h, GUEST_PBOTVM);
        heartbeat_reset(&h);
        assert_true(feed(&h, "pbotvm 1 0.5 100\n", T0 + SEC));
        assert_int_equal(h.kind, GUEST_PBOT_2023);
}

static void test_asking(void **state _unused_) {
        Heartbeat h = connected(GUEST_PBOT_2026);

        assert_true(heartbeat_ask(&h, T0));
        assert_false(heartbeat_ask(&h, T0 + BEAT_ASK_USEC - 1));
        assert_int_equal(heartbeat_deadline(&h, T0), T0 + BEAT_ASK_USEC);
        assert_true(heartbeat_ask(&h, T0 + BEAT_ASK_USEC));
        /* The tty of a dead agent echoes. */
        assert_false(feed(&h, "\r\n\r\n\n", T0 + BEAT_ASK_USEC + 1));
        assert_false(feed(&h, "x:END\r\n", T0 + BEAT_ASK_USEC + 1));
        assert_true(feed(&h, ":END\r\n", T0 + BEAT_ASK_USEC + 1));

        h = connected(GUEST_PBOTVM);
        assert_false(heartbeat_ask(&h, T0 + 1000 * SEC));
        heartbeat_disconnected(&h);
        h.kind = GUEST_PBOT_2026;
        assert_false(heartbeat_ask(&h, T0 + 1000 * SEC));
}

static void test_hostile_lines(void **state _unused_) {
        Heartbeat h = connected(GUEST_PBOTVM);
        char line[BEAT_SIZE_MAX + 2];

        memset(line, 'x', sizeof(line));
        line[BEAT_SIZE_MAX] = '\n';
        assert_true(heartbeat_feed(&h, line, BEAT_SIZE_MAX + 1, T0));
        line[BEAT_SIZE_MAX] = 'x';
        line[BEAT_SIZE_MAX + 1] = '\n';
        assert_false(heartbeat_feed(&h, line, BEAT_SIZE_MAX + 2, T0));
        /* The line after one that is too long counts again, in pieces as well. */
        assert_false(feed(&h, "pbot", T0 + SEC));
        assert_true(feed(&h, "vm\n", T0 + SEC));
        assert_string_equal(h.last, "pbotvm");

        assert_true(heartbeat_feed(&h, "a\0\033[31m\xff~\n", 10, T0 + SEC));
        assert_string_equal(h.last, "a??[31m?~");
}

/* Whoever floods the line does not beat. */
static void test_floods(void **state _unused_) {
        Heartbeat h = connected(GUEST_PBOTVM);
        bool beat = true;

        for (size_t i = 0; i < 2 * BEAT_FLOOD_BYTES / 9; i++)
                beat = feed(&h, "pbotvm 1\n", T0 + i);
        assert_false(beat);
        assert_true(feed(&h, "pbotvm 1\n", T0 + 2 * SEC));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_when_it_is_lost),
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_an_agent_that_was_started_again),
                cmocka_unit_test(test_kinds_are_found_out),
                cmocka_unit_test(test_a_remembered_kind_may_be_wrong),
                cmocka_unit_test(test_asking),
                cmocka_unit_test(test_hostile_lines),
                cmocka_unit_test(test_floods),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
