/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request to a guest, and what is made of all that a guest may answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>

#include "common/io.h"
#include "handler/exchange.h"

/* A guest that reads a request, writes bytes and closes, or stays silent. */
typedef struct Guest {
        int fd;
        const char *reply; /* NULL: silent */
        bool close_first;
        Text got;
} Guest;

static void *guest_main(void *userdata) {
        Guest *g = userdata;
        char buffer[65536];
        ssize_t n;

        while (!strstr(text_string(&g->got), "\n\n") && !strstr(text_string(&g->got), "\n:end:\n") &&
                (n = io_read(g->fd, buffer, sizeof(buffer), USEC_INFINITY)) > 0)
                text_append(&g->got, buffer, (size_t)n);
        if (g->reply)
                (void)io_write(g->fd, g->reply, strlen(g->reply), USEC_INFINITY);
        else
                while (io_read(g->fd, buffer, sizeof(buffer), USEC_INFINITY) > 0)
                        ;
        g->fd = fd_close(g->fd);
        return NULL;
}

/* Runs one exchange: its result, with verdict, reply and what the guest got. */
static int run_on(bool stale, const char *guest_reply, GuestKind kind, uint64_t usec, Reply *reply,
        Verdict *verdict, Text *got) {
        _cleanup_request_ Request request = REQUEST_INIT;
        Guest guest = { .reply = guest_reply };
        pthread_t thread;
        int pair[2];

        request.lang = strdup("sh");
        request.id = strdup("id-1");
        request.present = true;
        text_append_string(&request.code, "echo hi");
        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), errno);
        guest.fd = pair[1];
        assert_int_equal(pthread_create(&thread, NULL, guest_main, &guest), 0);
        int r = exchange_run(pair[0], &request, kind, stale, now_monotonic() + usec, reply, verdict);
        close(pair[0]);
        pthread_join(thread, NULL);
        text_move(got, &guest.got);
        return r;
}

static int run(
        const char *guest_reply, GuestKind kind, uint64_t usec, Reply *reply, Verdict *verdict, Text *got) {
        return run_on(false, guest_reply, kind, usec, reply, verdict, got);
}

#define OURS                                                                                                \
        "\"pbotvm\":{\"id\":\"id-1\",\"exit_status\":0,\"signal\":null,\"timed_out\":false,\"oom\":false}"
#define OURS_WITH(members) "result:{\"result\":\"x\",\"pbotvm\":{\"id\":\"id-1\"," members "}}\nresult:end\n"

static const struct {
        const char *reply;
        GuestKind guest;
        int result;
        Verdict verdict;
        const char *text;
} cases[] = {
        { "result:{\"result\":\"hi\\n\"," OURS "}\nresult:end\n", GUEST_PBOTVM, EXCHANGE_REPLY,
                VERDICT_CLEAN, "hi\n\n" },
        { "result:{\"result\":\"hi\"}\r\nresult:end\r\n", GUEST_PBOT_2023, EXCHANGE_REPLY, VERDICT_CLEAN,
                "hi\n" },
        { "{\"echo\"}\r\n\r\nresult:{\"result\":\"hi\"}\r\nresult:end\r\n", GUEST_PBOT_2026, EXCHANGE_REPLY,
                VERDICT_CLEAN, "hi\n" },
        { "result:{\"result\":\"hi\"}", GUEST_PBOT_2023, EXCHANGE_REPLY, VERDICT_CLEAN, "hi\n" },

        /* Killed: by the member alone of our agent, by the text of PBot's. */
        { "result:{\"result\":\"x [Killed]\\n\"}\nresult:end\n", GUEST_PBOT_2023, EXCHANGE_REPLY,
                VERDICT_KILLED, NULL },
        { "result:{\"result\":\"x [Killed] y\"}\nresult:end\n", GUEST_PBOT_2023, EXCHANGE_REPLY,
                VERDICT_CLEAN, NULL },
        { "result:{\"result\":\"x [Killed]\"," OURS "}\nresult:end\n", GUEST_PBOTVM, EXCHANGE_REPLY,
                VERDICT_CLEAN, NULL },
        { "result:{\"result\":\"x [Killed]\"," OURS "}\nresult:end\n", GUEST_UNKNOWN, EXCHANGE_REPLY,
                VERDICT_CLEAN, NULL },
        { OURS_WITH("\"signal\":\"SIGKILL\""), GUEST_PBOTVM, EXCHANGE_REPLY, VERDICT_CONTAINED, NULL },
        { OURS_WITH("\"oom\":true"), GUEST_PBOTVM, EXCHANGE_REPLY, VERDICT_CONTAINED, NULL },
        { OURS_WITH("\"signal\":\"SIGSEGV\""), GUEST_PBOTVM, EXCHANGE_REPLY, VERDICT_CLEAN, NULL },
        { OURS_WITH("\"timed_out\":true,\"signal\":\"SIGKILL\""), GUEST_PBOTVM, EXCHANGE_REPLY,
                VERDICT_TIMED_OUT, NULL },

        /* Of another request, or of none. */
        { "result:{\"result\":\"x\",\"pbotvm\":{\"id\":\"id-2\"}}\nresult:end\n", GUEST_PBOTVM,
                EXCHANGE_TROUBLE, VERDICT_PROTOCOL_ERROR, NULL },
        { "result:{\"result\":\"x\",\"pbotvm\":{\"id\":\"id-2\"}}\nresult:end\n", GUEST_UNKNOWN,
                EXCHANGE_TROUBLE, VERDICT_PROTOCOL_ERROR, NULL },
        { "result:{\"result\":\"x\"}\nresult:end\n", GUEST_PBOTVM, EXCHANGE_TROUBLE, VERDICT_PROTOCOL_ERROR,
                NULL },
        { "result:{\"result\":\"x\"}\nresult:end\n", GUEST_UNKNOWN, EXCHANGE_REPLY, VERDICT_CLEAN, "x\n" },

        /* Undecodable. */
        { "result:end\n", GUEST_PBOT_2023, EXCHANGE_TROUBLE, VERDICT_PROTOCOL_ERROR, NULL },
        { "result:{bad\nresult:end\n", GUEST_PBOT_2023, EXCHANGE_TROUBLE, VERDICT_PROTOCOL_ERROR, NULL },
        { "result:[1]\nresult:end\n", GUEST_PBOT_2023, EXCHANGE_TROUBLE, VERDICT_PROTOCOL_ERROR, NULL },
        { "result:{\"result\":\"\\ud83d x\"}\nresult:end\n", GUEST_PBOT_2023, EXCHANGE_TROUBLE,
                VERDICT_PROTOCOL_ERROR, NULL },
        { OURS_WITH("\"timed_out\":5"), GUEST_PBOTVM, EXCHANGE_TROUBLE, VERDICT_PROTOCOL_ERROR, NULL },

        /* Gone in the middle. */
        { "", GUEST_PBOT_2023, EXCHANGE_TROUBLE, VERDICT_LOST, NULL },
        { "noise\nresu", GUEST_PBOT_2023, EXCHANGE_TROUBLE, VERDICT_LOST, NULL },
};

static void test_replies(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_reply_ Reply reply = {};
                _cleanup_text_ Text got = {};
                Verdict verdict = _VERDICT_MAX;

                int r = run(cases[i].reply, cases[i].guest, 5 * USEC_PER_SEC, &reply, &verdict, &got);
                if (r != cases[i].result || verdict != cases[i].verdict)
                        fail_msg("%s: result %i, verdict %s", cases[i].reply, r, verdict_name(verdict));
                if (cases[i].text)
                        assert_string_equal(text_string(&reply.result), cases[i].text);
        }
}

static void test_framing_follows_the_guest(void **state) {
        (void)state;
        static const GuestKind kinds[] = { GUEST_UNKNOWN, GUEST_PBOTVM, GUEST_PBOT_2023, GUEST_PBOT_2026 };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                _cleanup_reply_ Reply reply = {};
                _cleanup_text_ Text got = {};
                Verdict verdict;
                const char *end = kinds[i] == GUEST_PBOT_2023 ? "}\n:end:\n" : "}\n\n";

                (void)run("result:{}\nresult:end\n", kinds[i], USEC_PER_SEC, &reply, &verdict, &got);
                assert_true(got.size > strlen(end));
                assert_string_equal(text_string(&got) + got.size - strlen(end), end);
        }
}

/* On a line that nobody has cleared an earlier client's answer may still come. */
static void test_others_answers_are_passed_over(void **state) {
        (void)state;
#define OTHERS "result:{\"result\":\"stale\",\"pbotvm\":{\"id\":\"id-0\"}}\nresult:end\n"
#define OWN "result:{\"result\":\"fresh\"," OURS "}\nresult:end\n"
        static const struct {
                const char *bytes;
                bool stale;
                int result;
                Verdict verdict;
        } lines[] = {
                { OTHERS OWN, true, EXCHANGE_REPLY, VERDICT_CLEAN },
                { "le\",\"pbotvm\":{\"id\":\"id-0\"}}\nresult:end\n" OTHERS OWN, true, EXCHANGE_REPLY,
                        VERDICT_CLEAN },
                { OTHERS, true, EXCHANGE_TROUBLE, VERDICT_LOST },
                { OTHERS OWN, false, EXCHANGE_TROUBLE, VERDICT_PROTOCOL_ERROR },
        };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                _cleanup_reply_ Reply reply = {};
                _cleanup_text_ Text got = {};
                Verdict verdict;

                assert_int_equal(run_on(lines[i].stale, lines[i].bytes, GUEST_PBOTVM, 5 * USEC_PER_SEC,
                                         &reply, &verdict, &got),
                        lines[i].result);
                assert_int_equal(verdict, lines[i].verdict);
                if (lines[i].result == EXCHANGE_REPLY)
                        assert_string_equal(text_string(&reply.result), "fresh\n");
        }
}

static void test_silence_is_a_timeout(void **state) {
        (void)state;
        _cleanup_reply_ Reply reply = {};
        _cleanup_text_ Text got = {};
        Verdict verdict;
        uint64_t began = now_monotonic();

        assert_int_equal(
                run(NULL, GUEST_PBOTVM, 80 * USEC_PER_MSEC, &reply, &verdict, &got), EXCHANGE_TROUBLE);
        assert_int_equal(verdict, VERDICT_NO_ANSWER);
        uint64_t took = now_monotonic() - began;
        assert_true(took >= 80 * USEC_PER_MSEC && took < USEC_PER_SEC);
}

/* A channel that is dead before all was sent: the request may be sent to another guest. */
static void test_dead_channel_is_not_sent(void **state) {
        (void)state;
        _cleanup_request_ Request request = REQUEST_INIT;
        _cleanup_reply_ Reply reply = {};
        Verdict verdict = _VERDICT_MAX;
        int pair[2];

        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), errno);
        close(pair[1]);
        assert_int_equal(exchange_run(pair[0], &request, GUEST_PBOTVM, false, now_monotonic() + USEC_PER_SEC,
                                 &reply, &verdict),
                EXCHANGE_NOT_SENT);
        close(pair[0]);
}

/* A guest that does not read what is sent. */
static void test_stuffed_channel_is_a_timeout(void **state) {
        (void)state;
        _cleanup_request_ Request request = REQUEST_INIT;
        _cleanup_reply_ Reply reply = {};
        Verdict verdict = _VERDICT_MAX;
        int pair[2];

        for (size_t i = 0; i < 100000; i++)
                text_append_string(&request.code, "0123456789");
        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), errno);
        assert_int_equal(exchange_run(pair[0], &request, GUEST_PBOTVM, false,
                                 now_monotonic() + 50 * USEC_PER_MSEC, &reply, &verdict),
                EXCHANGE_TROUBLE);
        assert_int_equal(verdict, VERDICT_NO_ANSWER);
        close(pair[0]);
        close(pair[1]);
}

static void test_a_flood_is_a_protocol_error(void **state) {
        (void)state;
        _cleanup_reply_ Reply reply = {};
        _cleanup_text_ Text got = {}, flood = {};
        Verdict verdict;

        text_append_string(&flood, "result:{\"result\":\"");
        for (size_t i = 0; i < FRAME_SIZE_MAX / 16 + 2; i++)
                text_append_string(&flood, "0123456789abcdef");
        assert_int_equal(
                run(text_string(&flood), GUEST_PBOT_2023, 20 * USEC_PER_SEC, &reply, &verdict, &got),
                EXCHANGE_TROUBLE);
        assert_int_equal(verdict, VERDICT_PROTOCOL_ERROR);
}

static void test_every_verdict_has_its_words(void **state) {
        (void)state;
        for (Verdict v = 0; v < _VERDICT_MAX; v++) {
                assert_non_null(verdict_name(v));
                assert_true(!verdict_outcome(v) == (v >= VERDICT_ANSWERED));
        }
        assert_string_equal(verdict_text(VERDICT_NO_ANSWER), "[Timed-out]");
        assert_string_equal(verdict_text_direct(VERDICT_NO_ANSWER), "[Timed-out]");
        assert_non_null(strstr(verdict_text(VERDICT_PROTOCOL_ERROR), "being reset"));
        assert_null(strstr(verdict_text_direct(VERDICT_PROTOCOL_ERROR), "reset"));
        assert_string_equal(verdict_outcome(VERDICT_NO_ANSWER), "timed-out");
        assert_string_equal(verdict_outcome(VERDICT_KILLED), "killed");
        assert_string_equal(verdict_outcome(VERDICT_CONTAINED), "contained");
        assert_true(verdict_is_good(VERDICT_TIMED_OUT));
        assert_false(verdict_is_good(VERDICT_NO_ANSWER));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_replies),
                cmocka_unit_test(test_framing_follows_the_guest),
                cmocka_unit_test(test_others_answers_are_passed_over),
                cmocka_unit_test(test_silence_is_a_timeout),
                cmocka_unit_test(test_dead_channel_is_not_sent),
                cmocka_unit_test(test_stuffed_channel_is_a_timeout),
                cmocka_unit_test(test_a_flood_is_a_protocol_error),
                cmocka_unit_test(test_every_verdict_has_its_words),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
