/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <sys/socket.h>

#include "common/io.h"
#include "watchdog/transport/probe.h"

#define STALE "result:{\"result\":\"STALE\\n\"}\r\nresult:end\r\n"
#define LIMIT (SEC / 5)
#define PENDING 1

typedef struct Fixture {
        sd_event *event;
        int fd;  /* the watchdog's end */
        int far; /* the guest's */
        Probe *probe;
        int result; /* PENDING until it is told */
        Text question;
} Fixture;

static void on_done(int result, void *userdata) {
        Fixture *f = userdata;

        assert_int_equal(f->result, PENDING);
        f->result = result;
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));
        int pair[2];

        assert_non_null(f);
        assert_int_equal(sd_event_new(&f->event), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        f->fd = pair[0];
        f->far = pair[1];
        f->result = PENDING;
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        probe_free(f->probe);
        text_done(&f->question);
        fd_close(f->fd);
        fd_close(f->far);
        sd_event_unref(f->event);
        free(f);
        return 0;
}

static void turn(Fixture *f) {
        while (sd_event_run(f->event, 0) > 0)
                ;
}

static void begin(Fixture *f, Framing framing) {
        assert_int_equal(probe_new(f->event, f->fd, framing, NULL, LIMIT, on_done, f, &f->probe), 0);
        turn(f);
        char *p = text_reserve(&f->question, 4096);
        ssize_t n = read(f->far, p, 4096);
        assert_true(n > 0);
        f->question.size = (size_t)n;
}

/* The word behind "echo ". */
static void nonce(const Fixture *f, char ret[static 64]) {
        const char *echo = strstr(text_string(&f->question), "echo ");

        assert_non_null(echo);
        size_t n = strcspn(echo + 5, "\"");
        assert_true(n > 8 && n < 64);
        memcpy(ret, echo + 5, n);
        ret[n] = '\0';
}

static void say(Fixture *f, const char *text) {
        assert_int_equal(write(f->far, text, strlen(text)), strlen(text));
        turn(f);
}

static void wait_end(Fixture *f) {
        while (f->result == PENDING)
                assert_true(sd_event_run(f->event, SEC) >= 0);
}

static void test_an_answer(void **state) {
        Fixture *f = *state;
        _cleanup_text_ Text answer = {};
        char word[64];

        begin(f, FRAMING_CHUNKS);
        assert_non_null(strstr(text_string(&f->question), "\"probe\":true"));
        assert_string_equal(text_string(&f->question) + f->question.size - 2, "\n\n");
        nonce(f, word);
        text_append_printf(&answer, "result:{\"result\":\"%s\\n\"}\nresult:end", word);
        say(f, text_string(&answer));
        assert_int_equal(f->result, PENDING);
        say(f, "\n");
        assert_int_equal(f->result, 0);
}

static void test_framing_of_2023(void **state) {
        Fixture *f = *state;

        begin(f, FRAMING_END_MARKER);
        assert_non_null(strstr(text_string(&f->question), "\n:end:\n"));
}

/* Replies that were left over are skipped, and prove nothing. */
static void test_stale_replies(void **state) {
        Fixture *f = *state;
        _cleanup_text_ Text answer = {};
        char word[64];

        begin(f, FRAMING_CHUNKS);
        nonce(f, word);
        say(f, STALE STALE);
        assert_int_equal(f->result, PENDING);
        text_append_printf(&answer, STALE "result:{\"result\":\"%s\\n\"}\r\nresult:end\r\n", word);
        say(f, text_string(&answer));
        assert_int_equal(f->result, 0);
}

/* A tty echoes the question, with the nonce in it: that is no answer, not even with an end behind it. */
static void test_echoes(void **state) {
        Fixture *f = *state;

        begin(f, FRAMING_CHUNKS);
        say(f, text_string(&f->question));
        say(f, "result:end\r\n");
        assert_int_equal(f->result, PENDING);
        wait_end(f);
        assert_int_equal(f->result, -ETIMEDOUT);
}

/* The deadline is a total one: whoever keeps talking gains no time. */
static void test_deadline(void **state) {
        Fixture *f = *state;
        uint64_t begun = now_monotonic();

        begin(f, FRAMING_CHUNKS);
        while (f->result == PENDING) {
                say(f, STALE);
                assert_true(sd_event_run(f->event, SEC / 100) >= 0);
        }
        assert_int_equal(f->result, -ETIMEDOUT);
        assert_true(now_monotonic() - begun < LIMIT + SEC);
}

/* An answer that came in time counts, even if we look at the clock first. */
static void test_late_ourselves(void **state) {
        Fixture *f = *state;
        _cleanup_text_ Text answer = {};
        char word[64];

        begin(f, FRAMING_CHUNKS);
        nonce(f, word);
        text_append_printf(&answer, "result:{\"result\":\"%s\\n\"}\nresult:end\n", word);
        assert_int_equal(write(f->far, answer.data, answer.size), answer.size);
        usleep((useconds_t)(LIMIT + SEC / 10));
        wait_end(f);
        assert_int_equal(f->result, 0);
}

static void test_end_of_file(void **state) {
        Fixture *f = *state;

        begin(f, FRAMING_CHUNKS);
        f->far = fd_close(f->far);
        wait_end(f);
        assert_int_equal(f->result, -ECONNRESET);
}

static void test_flood(void **state) {
        Fixture *f = *state;
        char noise[4096];

        begin(f, FRAMING_CHUNKS);
        memset(noise, 'x', sizeof(noise));
        for (size_t sent = 0; f->result == PENDING && sent < 4 * PROBE_SIZE_MAX;) {
                ssize_t n = write(f->far, noise, sizeof(noise));
                sent += n > 0 ? (size_t)n : 0;
                assert_true(sd_event_run(f->event, 0) >= 0);
        }
        assert_int_equal(f->result, -EMSGSIZE);
}

int main(void) {
#define test_with_probe(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                test_with_probe(test_an_answer),
                test_with_probe(test_framing_of_2023),
                test_with_probe(test_stale_replies),
                test_with_probe(test_echoes),
                test_with_probe(test_deadline),
                test_with_probe(test_late_ourselves),
                test_with_probe(test_end_of_file),
                test_with_probe(test_flood),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
