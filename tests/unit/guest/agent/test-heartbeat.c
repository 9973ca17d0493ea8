/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmocka-all.h"

#include <stdio.h>
#include <sys/socket.h>

#include "heartbeat.h"

typedef struct Fixture {
        sd_event *event;
        Heart *heart;
        int peer;
        bool healthy, closed;
} Fixture;

static bool on_healthy(void *userdata) {
        return ((Fixture *)userdata)->healthy;
}

static void on_closed(_unused_ Heart *heart, void *userdata) {
        ((Fixture *)userdata)->closed = true;
}

static int setup(void **state) {
        static const HeartHandlers handlers = { .healthy = on_healthy, .closed = on_closed };
        Fixture *f = calloc(1, sizeof(Fixture));
        int fds[2];

        assert_non_null(f);
        f->healthy = true;
        assert_int_equal(sd_event_new(&f->event), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
        assert_int_equal(heart_new(f->event, fds[0], STREAM_SOCKET, &handlers, f, &f->heart), 0);
        f->peer = fds[1];
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        heart_free(f->heart);
        sd_event_unref(f->event);
        fd_close(f->peer);
        free(f);
        return 0;
}

/* Turns the loop until nothing happens any more, then gives what has come. */
static const char *received(Fixture *f, char *buffer, size_t size) {
        while (sd_event_run(f->event, 10000) > 0)
                ;
        ssize_t n = recv(f->peer, buffer, size - 1, MSG_DONTWAIT);
        buffer[n > 0 ? n : 0] = '\0';
        return buffer;
}

static void test_format(_unused_ void **state) {
        char line[BEAT_MAX];

        assert_int_equal(beat_format(line, sizeof(line), 7, 105, 4096), strlen("pbotvm 7 1.05 4096\n"));
        assert_string_equal(line, "pbotvm 7 1.05 4096\n");
        size_t n = beat_format(line, sizeof(line), UINT64_MAX, 4294967295u, UINT64_MAX);
        assert_true(n < 200);
        assert_int_equal(line[n - 1], '\n');
}

static void test_beats_by_itself(void **state) {
        Fixture *f = *state;
        char buffer[400];

        heart_beat(f->heart, 1);
        heart_beat(f->heart, 2);
        received(f, buffer, sizeof(buffer));
        assert_non_null(startswith(buffer, "pbotvm 1 "));
        assert_non_null(strstr(buffer, "\npbotvm 2 "));
        assert_null(strstr(buffer, "END"));
}

static void test_answers_a_question(void **state) {
        Fixture *f = *state;
        char buffer[2000];

        assert_int_equal(write(f->peer, "\n", 1), 1);
        received(f, buffer, sizeof(buffer));
        assert_non_null(strstr(buffer, "\n:END\r\n"));
        /* A question that ends in CR LF is one. */
        assert_int_equal(write(f->peer, "\r\n", 2), 2);
        received(f, buffer, sizeof(buffer));
        char *first = strstr(buffer, ":END\r\n");
        assert_non_null(first);
        assert_null(strstr(first + 1, ":END"));
}

static void test_a_flood_of_questions_gets_few_answers(void **state) {
        Fixture *f = *state;
        char buffer[20000], flood[5000];

        memset(flood, '\n', sizeof(flood));
        assert_int_equal(write(f->peer, flood, sizeof(flood)), (ssize_t)sizeof(flood));
        received(f, buffer, sizeof(buffer));
        unsigned n = 0;
        for (const char *p = buffer; (p = strstr(p, ":END")); p++)
                n++;
        assert_true(n >= 1 && n <= 8);
}

static void test_silent_when_sick(void **state) {
        Fixture *f = *state;
        char buffer[400];

        f->healthy = false;
        assert_int_equal(write(f->peer, "\n", 1), 1);
        assert_string_equal(received(f, buffer, sizeof(buffer)), "");
}

static void test_nobody_reads(void **state) {
        Fixture *f = *state;

        /* Beats that nobody takes are forgotten, not kept. */
        for (uint64_t i = 0; i < 100000; i++)
                heart_beat(f->heart, i);
        assert_false(f->closed);
}

static void test_peer_goes(void **state) {
        Fixture *f = *state;

        f->peer = fd_close(f->peer);
        while (!f->closed && sd_event_run(f->event, 100000) > 0)
                ;
        assert_true(f->closed);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_format),
                cmocka_unit_test_setup_teardown(test_beats_by_itself, setup, teardown),
                cmocka_unit_test_setup_teardown(test_answers_a_question, setup, teardown),
                cmocka_unit_test_setup_teardown(test_a_flood_of_questions_gets_few_answers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_silent_when_sick, setup, teardown),
                cmocka_unit_test_setup_teardown(test_nobody_reads, setup, teardown),
                cmocka_unit_test_setup_teardown(test_peer_goes, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
