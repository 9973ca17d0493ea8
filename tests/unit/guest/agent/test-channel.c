/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmocka-all.h"

#include <stdio.h>
#include <sys/socket.h>

#include "channel.h"
#include "common/io.h"

#include "lanes.h"

typedef struct Fixture {
        sd_event *event;
        Channel *channel;
        int peer;
        unsigned requests, abandoned, closed;
        Text last; /* the JSON of the last request */
        bool too_long, answer_at_once;
        struct Fixture *parent; /* of one in a lane */
        struct Fixture *lanes[LANES_MAX];
} Fixture;

static Channel *on_lane(Lanes *lanes, unsigned lane, void *userdata);

static void on_request(Channel *channel, const char *json, size_t size, void *userdata) {
        Fixture *f = userdata;

        f->requests++;
        f->too_long = !json;
        text_clear(&f->last);
        if (json)
                text_append(&f->last, json, size);
        if (f->answer_at_once)
                channel_reply(channel, "{}", 2);
}

static void on_abandoned(_unused_ Channel *channel, void *userdata) {
        ((Fixture *)userdata)->abandoned++;
}

static void on_closed(Channel *channel, void *userdata) {
        Fixture *f = userdata;

        f->closed++;
        f->channel = channel_free(channel);
}

static int setup_kind(void **state, StreamKind kind) {
        static const ChannelHandlers handlers = {
                .request = on_request,
                .abandoned = on_abandoned,
                .lane = on_lane,
                .closed = on_closed,
        };
        Fixture *f = calloc(1, sizeof(Fixture));
        int fds[2];

        assert_non_null(f);
        assert_int_equal(sd_event_new(&f->event), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        assert_int_equal(channel_new(f->event, fds[0], kind, "test", &handlers, f, &f->channel), 0);
        f->peer = fds[1];
        *state = f;
        return 0;
}

static int setup(void **state) {
        return setup_kind(state, STREAM_SOCKET);
}

/* Like a virtio-serial port, which does not always tell of a host's going. */
static int setup_port(void **state) {
        return setup_kind(state, STREAM_PORT);
}

/* Like a serial line, which tells of nobody's going. */
static int setup_line(void **state) {
        return setup_kind(state, STREAM_TTY);
}

static int teardown(void **state) {
        Fixture *f = *state;

        channel_free(f->channel);
        sd_event_unref(f->event);
        fd_close(f->peer);
        text_done(&f->last);
        for (size_t i = 0; i < LANES_MAX; i++)
                if (f->lanes[i]) {
                        text_done(&f->lanes[i]->last);
                        free(f->lanes[i]);
                }
        free(f);
        return 0;
}

static Channel *on_lane(Lanes *lanes, unsigned lane, void *userdata) {
        static const ChannelHandlers handlers = {
                .request = on_request,
                .abandoned = on_abandoned,
                .closed = on_closed,
        };
        Fixture *parent = userdata,
                *f = parent->lanes[lane] ? parent->lanes[lane] : calloc(1, sizeof(Fixture));

        assert_non_null(f);
        parent->lanes[lane] = f;
        assert_int_equal(channel_new_lane(parent->event, lanes, lane, "lane", &handlers, f, &f->channel), 0);
        return f->channel;
}

/* Turns the loop until nothing has happened for a while. */
static void settle(Fixture *f) {
        while (sd_event_run(f->event, 20000) > 0)
                ;
}

static void say(Fixture *f, const char *text) {
        assert_int_equal(io_write(f->peer, text, strlen(text), usec_add(now_monotonic(), USEC_PER_SEC)), 0);
        settle(f);
}

static const char *heard(Fixture *f) {
        static char buffer[4096];

        settle(f);
        ssize_t n = recv(f->peer, buffer, sizeof(buffer) - 1, MSG_DONTWAIT);
        buffer[n > 0 ? n : 0] = '\0';
        return buffer;
}

static void test_both_framings(void **state) {
        Fixture *f = *state;

        f->answer_at_once = true;
        say(f, "{\"a\":1}\n\n");
        assert_int_equal(f->requests, 1);
        assert_string_equal(text_string(&f->last), "{\"a\":1}");
        assert_string_equal(heard(f), "result:{}\nresult:end\n");
        say(f, "{\"b\":2}\n:end:\n");
        assert_int_equal(f->requests, 2);
        assert_string_equal(text_string(&f->last), "{\"b\":2}");
}

static void test_in_pieces(void **state) {
        Fixture *f = *state;
        const char *frame = "{\"a\":\n1}\n\n";

        for (const char *p = frame; *p; p++) {
                assert_int_equal(f->requests, 0);
                assert_int_equal(write(f->peer, p, 1), 1);
                settle(f);
        }
        assert_int_equal(f->requests, 1);
        assert_string_equal(text_string(&f->last), "{\"a\":1}");
}

static void test_one_after_the_other(void **state) {
        Fixture *f = *state;

        say(f, "{\"a\":1}\n\n{\"b\":2}\n\n{\"c\":3}\n\n");
        assert_int_equal(f->requests, 1);
        assert_true(channel_busy(f->channel));
        channel_reply(f->channel, "{\"r\":1}", 7);
        assert_int_equal(f->requests, 2);
        assert_string_equal(text_string(&f->last), "{\"b\":2}");
        channel_reply(f->channel, "{\"r\":2}", 7);
        channel_reply(f->channel, "{\"r\":3}", 7);
        assert_false(channel_busy(f->channel));
        assert_string_equal(heard(f), "result:{\"r\":1}\nresult:end\nresult:{\"r\":2}\nresult:end\nresult:{"
                                      "\"r\":3}\nresult:end\n");
}

static void test_incomplete_is_dropped_after_silence(void **state) {
        Fixture *f = *state;
        uint64_t start = now_monotonic();

        say(f, "{\"half\":");
        while (now_monotonic() - start < 2300 * USEC_PER_MSEC)
                (void)sd_event_run(f->event, 100000);
        say(f, "{\"a\":1}\n\n");
        assert_int_equal(f->requests, 1);
        assert_string_equal(text_string(&f->last), "{\"a\":1}");
}

static void test_slow_but_not_silent_is_kept(void **state) {
        Fixture *f = *state;

        for (unsigned i = 0; i < 3; i++) {
                uint64_t start = now_monotonic();
                say(f, i == 0 ? "[" : "1,");
                while (now_monotonic() - start < 1200 * USEC_PER_MSEC)
                        (void)sd_event_run(f->event, 100000);
        }
        say(f, "1]\n\n");
        assert_int_equal(f->requests, 1);
        assert_string_equal(text_string(&f->last), "[1,1,1]");
}

static void test_too_long(void **state) {
        Fixture *f = *state;
        char block[65536];

        memset(block, 'x', sizeof(block));
        for (unsigned i = 0; i < (9 << 20) / sizeof(block); i++) {
                assert_int_equal(
                        io_write(f->peer, block, sizeof(block), usec_add(now_monotonic(), 100000)), 0);
                while (sd_event_run(f->event, 0) > 0)
                        ;
        }
        say(f, "\n\n");
        assert_int_equal(f->requests, 1);
        assert_true(f->too_long);
        channel_reply(f->channel, "{}", 2);
        say(f, "{\"a\":1}\n\n");
        assert_int_equal(f->requests, 2);
        assert_false(f->too_long);
}

static void test_half_close_still_gets_its_answer(void **state) {
        Fixture *f = *state;

        say(f, "{\"a\":1}\n\n");
        assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
        settle(f);
        assert_int_equal(f->closed, 0);
        assert_int_equal(f->abandoned, 0);
        channel_reply(f->channel, "{}", 2);
        assert_string_equal(heard(f), "result:{}\nresult:end\n");
        assert_int_equal(f->closed, 1);
}

static void test_close_abandons(void **state) {
        Fixture *f = *state;

        say(f, "{\"a\":1}\n\n");
        f->peer = fd_close(f->peer);
        settle(f);
        assert_int_equal(f->abandoned, 1);
        assert_int_equal(f->closed, 1);
}

static void test_idle_close(void **state) {
        Fixture *f = *state;

        f->peer = fd_close(f->peer);
        settle(f);
        assert_int_equal(f->abandoned, 0);
        assert_int_equal(f->closed, 1);
}

static void test_half_close_while_idle(void **state) {
        Fixture *f = *state;

        assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
        settle(f);
        assert_int_equal(f->closed, 1);
}

static void wait_a_while(Fixture *f) {
        uint64_t start = now_monotonic();

        while (now_monotonic() - start < 400 * USEC_PER_MSEC)
                (void)sd_event_run(f->event, 50000);
}

static void test_the_next_host_of_a_port_gets_his_own_answer(void **state) {
        Fixture *f = *state;

        say(f, "{\"a\":1}\n\n");
        wait_a_while(f);
        assert_int_equal(f->abandoned, 0);
        say(f, "{\"b\":2}\n\n");
        assert_int_equal(f->abandoned, 1);
        assert_int_equal(f->requests, 2);
        assert_string_equal(text_string(&f->last), "{\"b\":2}");
        channel_reply(f->channel, "{\"r\":2}", 7);
        assert_string_equal(heard(f), "result:{\"r\":2}\nresult:end\n");
}

static void test_two_requests_at_once_on_a_port(void **state) {
        Fixture *f = *state;

        say(f, "{\"a\":1}\n\n{\"b\":2}\n\n");
        wait_a_while(f);
        say(f, "\n");
        assert_int_equal(f->abandoned, 0);
        channel_reply(f->channel, "{}", 2);
        assert_int_equal(f->requests, 2);
}

static void test_early_requests_wait(void **state) {
        Fixture *f = *state;

        say(f, "{\"a\":1}\n\n");
        wait_a_while(f);
        say(f, "{\"b\":2}\n\n");
        assert_int_equal(f->abandoned, 0);
        channel_reply(f->channel, "{}", 2);
        assert_int_equal(f->requests, 2);
}

/* Requests side by side, each answered in its own lane, the second before the first. */
static void test_lanes(void **state) {
        Fixture *f = *state;

        say(f, "@000009\n{\"a\":1}\n\n@01000");
        say(f, "4\n{\"b\"@010005\n:2}\n\n");
        assert_int_equal(f->requests, 0);
        assert_string_equal(text_string(&f->lanes[0]->last), "{\"a\":1}");
        assert_string_equal(text_string(&f->lanes[1]->last), "{\"b\":2}");
        channel_reply(f->lanes[1]->channel, "{}", 2);
        assert_string_equal(heard(f), "@010015\nresult:{}\nresult:end\n");
        channel_reply(f->lanes[0]->channel, "{}", 2);
        assert_string_equal(heard(f), "@000015\nresult:{}\nresult:end\n");

        /* The host takes one back, whatever went on in it. */
        say(f, "@000007\n{\"half\"@010009\n{\"c\":3}\n\n@000000\n@010000\n");
        assert_string_equal(heard(f), "@000000\n@010000\n");
        assert_null(f->lanes[0]->channel);
        assert_null(f->lanes[1]->channel);
        assert_int_equal(f->lanes[0]->closed, 1);
        assert_int_equal(f->lanes[0]->requests, 1);
        assert_int_equal(f->lanes[1]->requests, 2);
        say(f, "@000009\n{\"d\":4}\n\n");
        assert_string_equal(text_string(&f->lanes[0]->last), "{\"d\":4}");
}

/* Another host knows nothing of lanes until he has asked: what the one before had begun is over. */
static void test_another_host_after_lanes(void **state) {
        Fixture *f = *state;

        say(f, "@000009\n{\"a\":1}\n\n{\"new\":1}\n\n");
        assert_int_equal(f->lanes[0]->closed, 1);
        assert_int_equal(f->requests, 1);
        assert_string_equal(text_string(&f->last), "{\"new\":1}");
        channel_reply(f->channel, "{}", 2);
        assert_string_equal(heard(f), "result:{}\nresult:end\n");
        say(f, "@020009\n{\"b\":2}\n\n");
        assert_string_equal(text_string(&f->lanes[2]->last), "{\"b\":2}");
}

/* PBot's own host never begins so, and on its lines there are none. */
static void test_no_lanes_on_a_line(void **state) {
        Fixture *f = *state;

        say(f, "@000009\n{\"a\":1}\n\n");
        assert_int_equal(f->requests, 1);
        assert_null(f->lanes[0]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_both_framings, setup, teardown),
                cmocka_unit_test_setup_teardown(test_in_pieces, setup, teardown),
                cmocka_unit_test_setup_teardown(test_one_after_the_other, setup, teardown),
                cmocka_unit_test_setup_teardown(test_incomplete_is_dropped_after_silence, setup, teardown),
                cmocka_unit_test_setup_teardown(test_slow_but_not_silent_is_kept, setup, teardown),
                cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
                cmocka_unit_test_setup_teardown(test_half_close_still_gets_its_answer, setup, teardown),
                cmocka_unit_test_setup_teardown(test_close_abandons, setup, teardown),
                cmocka_unit_test_setup_teardown(test_idle_close, setup, teardown),
                cmocka_unit_test_setup_teardown(test_half_close_while_idle, setup, teardown),
                cmocka_unit_test_setup_teardown(
                        test_the_next_host_of_a_port_gets_his_own_answer, setup_port, teardown),
                cmocka_unit_test_setup_teardown(test_two_requests_at_once_on_a_port, setup_port, teardown),
                cmocka_unit_test_setup_teardown(test_early_requests_wait, setup, teardown),
                cmocka_unit_test_setup_teardown(test_early_requests_wait, setup_line, teardown),
                cmocka_unit_test_setup_teardown(test_lanes, setup_port, teardown),
                cmocka_unit_test_setup_teardown(test_another_host_after_lanes, setup_port, teardown),
                cmocka_unit_test_setup_teardown(test_no_lanes_on_a_line, setup_line, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
