/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One line in, one answer out, as PBot's clients know it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/io.h"
#include "common/utf8.h"
#include "handler/client-link.h"
#include "handler/crowd.h"

static void connect_pair(int *client, int *server) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(listener >= 0);
        assert_return_code(bind(listener, (struct sockaddr *)&address, size), errno);
        assert_return_code(listen(listener, 1), errno);
        assert_return_code(getsockname(listener, (struct sockaddr *)&address, &size), errno);
        *client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_return_code(connect(*client, (struct sockaddr *)&address, size), errno);
        *server = accept(listener, NULL, NULL);
        assert_true(*server >= 0);
        close(listener);
}

static const struct {
        const char *sent;
        size_t size;
        int input;
        const char *line;
} inputs[] = {
#define IN(text) text, sizeof(text) - 1
        { IN("echo hi\n"), CLIENT_LINE, "echo hi" },
        { IN("echo hi\r\n"), CLIENT_LINE, "echo hi" },
        { IN("echo hi\r\r\n"), CLIENT_LINE, "echo hi" },
        { IN("\n\n\necho hi\n"), CLIENT_LINE, "echo hi" },
        { IN("   \n\t\n\r\n\v\f\necho hi\n"), CLIENT_LINE, "echo hi" },
        { IN("\xe3\x80\x80\xc2\xa0\nx\n"), CLIENT_LINE, "x" },
        { IN("one\ntwo\n"), CLIENT_LINE, "one" },
        { IN("no newline"), CLIENT_LINE, "no newline" },
        { IN("0"), CLIENT_LINE, "0" },
        { IN("a\rb\n"), CLIENT_LINE, "a\rb" },
        { IN("a\xff\xe2\x82(b\xed\xa0\x80\n"), CLIENT_LINE, "a\xef\xbf\xbd\xef\xbf\xbd(b\xef\xbf\xbd" },
        { IN(""), CLIENT_NOTHING, "" },
        { IN("\n \n  "), CLIENT_NOTHING, "" },
};

static unsigned few(void) {
        return 1;
}

static unsigned some(void) {
        return 100;
}

static unsigned many(void) {
        return 150;
}

static void test_lines(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(inputs); i++) {
                _cleanup_text_ Text line = {};
                int client, server;

                connect_pair(&client, &server);
                assert_int_equal(io_write(client, inputs[i].sent, inputs[i].size, USEC_INFINITY), 0);
                shutdown(client, SHUT_WR);
                assert_int_equal(client_receive(server, now_monotonic(), few, &line), inputs[i].input);
                if (inputs[i].input == CLIENT_LINE)
                        assert_string_equal(text_string(&line), inputs[i].line);
                close(client);
                close(server);
        }
}

/* How long a client that sends two blank lines is waited for, from when it connected, in milliseconds. */
static uint64_t waited(uint64_t connected_since, unsigned (*crowd)(void)) {
        _cleanup_text_ Text line = {};
        int client, server;
        uint64_t began = now_monotonic() - connected_since;

        connect_pair(&client, &server);
        assert_int_equal(io_write(client, "\n\n", 2, USEC_INFINITY), 0);
        assert_int_equal(client_receive(server, began, crowd, &line), CLIENT_NOTHING);
        close(client);
        close(server);
        return (now_monotonic() - began) / USEC_PER_MSEC;
}

/* In milliseconds. */
static void assert_waited(uint64_t connected_since, unsigned (*crowd)(void), uint64_t least, uint64_t most) {
        uint64_t time = waited(connected_since, crowd);

        assert_true(time >= least && time <= most);
}

/* Blank lines do not restart the time. */
static void test_blank_lines_do_not_restart_the_time(void **state) {
        (void)state;
        assert_waited(CLIENT_LINE_USEC - 300 * USEC_PER_MSEC, few, 5000, 5900);
}

/* Who says nothing has less time the more there are, also if they came later. */
static void test_a_crowd_makes_impatient(void **state) {
        (void)state;
        assert_waited(0, many, 500, 1500);
        assert_waited(1900 * USEC_PER_MSEC, some, 2000, 2900);
        assert_waited(3 * USEC_PER_SEC, many, 3000, 3900);
        assert_int_equal(crowd_patience(0), CLIENT_LINE_USEC);
        assert_int_equal(crowd_patience(63), CLIENT_LINE_USEC);
        assert_true(crowd_patience(64) < CLIENT_LINE_USEC);
        assert_true(crowd_patience(UINT32_MAX) < crowd_patience(64));
}

static int receive_large(size_t size, bool newline) {
        _cleanup_free_ char *data = malloc(size + 1);
        _cleanup_text_ Text line = {};
        int client, server, buffer = 4 << 20;

        memset(data, 'x', size);
        data[size] = '\n';
        connect_pair(&client, &server);
        (void)setsockopt(client, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
        pid_t pid = fork();
        if (pid == 0) {
                close(server);
                (void)io_write(client, data, size + newline, USEC_INFINITY);
                _exit(0);
        }
        close(client);
        int r = client_receive(server, now_monotonic(), few, &line);
        if (r == CLIENT_LINE)
                assert_int_equal(line.size, size);
        close(server);
        return r;
}

static void test_limit(void **state) {
        (void)state;
        assert_int_equal(receive_large(CLIENT_LINE_MAX, true), CLIENT_LINE);
        assert_int_equal(receive_large(CLIENT_LINE_MAX, false), CLIENT_LINE);
        assert_int_equal(receive_large(CLIENT_LINE_MAX + 1, true), CLIENT_TOO_LONG);
        assert_int_equal(receive_large(4 * CLIENT_LINE_MAX, false), CLIENT_TOO_LONG);
}

static void check_answer(const char *answer, const char *expected) {
        _cleanup_text_ Text text = {}, got = {};
        int client, server;
        char buffer[256];
        ssize_t n;

        connect_pair(&client, &server);
        text_append_string(&text, answer);
        assert_int_equal(client_answer(server, &text, USEC_INFINITY, 0), 0);
        close(server);
        while ((n = io_read(client, buffer, sizeof(buffer), USEC_INFINITY)) > 0)
                text_append(&got, buffer, (size_t)n);
        assert_int_equal(n, 0);
        assert_string_equal(text_string(&got), expected);
        close(client);
}

static void test_answer_is_trimmed_at_its_end(void **state) {
        (void)state;
        check_answer("hello", "hello\n");
        check_answer("  hello \n\r\n\t", "  hello\n");
        check_answer("x\xc2\xa0\xc2\x85\xe3\x80\x80", "x\n");
        check_answer("", "\n");
        check_answer(" \n ", "\n");
}

/* What the client sent beyond its line must not cost it its answer: a connection that is closed with bytes
 * unread is reset, and what was still to be sent is lost. */
static void test_surplus_does_not_cost_the_answer(void **state) {
        (void)state;
        _cleanup_text_ Text line = {}, text = {};
        int client, server, large = 4 << 20, small = 4096;
        char buffer[65536];
        size_t total = 0;
        ssize_t n;

        connect_pair(&client, &server);
        (void)setsockopt(server, SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
        (void)setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
        assert_int_equal(io_write(client, "one\n", 4, USEC_INFINITY), 0);
        assert_int_equal(client_receive(server, now_monotonic(), few, &line), CLIENT_LINE);
        assert_int_equal(io_write(client, "two\n", 4, USEC_INFINITY), 0);
        for (size_t i = 0; i < 100000; i++)
                text_append_char(&text, 'x');
        usleep(20000);
        assert_int_equal(client_answer(server, &text, USEC_INFINITY, 0), 0);
        close(server);
        usleep(20000);
        while ((n = io_read(client, buffer, sizeof(buffer), USEC_INFINITY)) > 0)
                total += (size_t)n;
        assert_int_equal(n, 0);
        assert_int_equal(total, 100001);
        close(client);
}

static void *read_to_the_end(void *userdata) {
        int fd = (int)(intptr_t)userdata;
        char buffer[65536];
        Text *all = calloc(1, sizeof(*all));

        for (ssize_t n; (n = io_read(fd, buffer, sizeof(buffer), now_monotonic() + 20 * USEC_PER_SEC)) > 0;)
                text_append(all, buffer, (size_t)n);
        return all;
}

/* Eight megabytes of bells are shown as five times as much. */
static void test_an_answer_is_bounded(void **state) {
        _cleanup_text_ Text answer = {};
        int client, server;
        pthread_t thread;
        void *userdata;

        (void)state;
        connect_pair(&client, &server);
        assert_int_equal(pthread_create(&thread, NULL, read_to_the_end, (void *)(intptr_t)client), 0);
        text_append_char(&answer, 'x');
        while (answer.size < CLIENT_ANSWER_MAX * 2)
                text_append_string(&answer, "\xc3\xa9*CLUNK*\xc3\xa9");
        assert_int_equal(client_answer(server, &answer, now_monotonic() + 20 * USEC_PER_SEC, 0), 0);
        close(server);
        assert_int_equal(pthread_join(thread, &userdata), 0);
        close(client);

        Text *got = userdata;
        static const char word[] = "\n[Truncated]\n";
        assert_true(got->size <= CLIENT_ANSWER_MAX + strlen(word));
        assert_true(got->size >= CLIENT_ANSWER_MAX - 1 + strlen(word));
        assert_string_equal(got->data + got->size - strlen(word), word);
        text_truncate(got, got->size - strlen(word));
        _cleanup_text_ Text valid = {};
        utf8_append_valid(&valid, got->data, got->size);
        assert_int_equal(valid.size, got->size);
        text_done(got);
        free(got);
}

static void test_gone_is_a_reset_not_a_half_close(void **state) {
        (void)state;
        const struct linger linger = { .l_onoff = 1 };
        int client, server;

        connect_pair(&client, &server);
        assert_false(client_gone(server));
        shutdown(client, SHUT_WR);
        usleep(10000);
        assert_false(client_gone(server));
        assert_return_code(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), errno);
        close(client);
        usleep(10000);
        assert_true(client_gone(server));
        assert_false(client_gone(-EBADF));
        close(server);
}

static void test_local_address(void **state) {
        (void)state;
        int client, server, pair[2];
        char host[64], path[108];
        uint16_t port = 0;

        connect_pair(&client, &server);
        assert_int_equal(client_local_address(server, host, &port), 0);
        assert_string_equal(host, "127.0.0.1");
        assert_true(port > 0);
        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), errno);
        assert_int_equal(client_local_address(pair[0], host, &port), -EAFNOSUPPORT);
        assert_int_equal(client_local_path(pair[0], path), -EAFNOSUPPORT);
        assert_int_equal(client_local_path(server, path), -EAFNOSUPPORT);
        close(client);
        close(server);
        close(pair[0]);
        close(pair[1]);
}

/* The accepted end has the path of its listener. */
static void test_local_path(void **state) {
        (void)state;
        char directory[] = "/tmp/test-client-XXXXXX", path[108];
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
            client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_non_null(mkdtemp(directory));
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
        assert_return_code(bind(listener, (struct sockaddr *)&address, sizeof(address)), errno);
        assert_return_code(listen(listener, 1), errno);
        assert_return_code(connect(client, (struct sockaddr *)&address, sizeof(address)), errno);
        int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_int_equal(client_local_path(server, path), 0);
        assert_string_equal(path, address.sun_path);
        unlink(address.sun_path);
        rmdir(directory);
        close(listener);
        close(client);
        close(server);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_blank_lines_do_not_restart_the_time),
                cmocka_unit_test(test_a_crowd_makes_impatient),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_answer_is_trimmed_at_its_end),
                cmocka_unit_test(test_surplus_does_not_cost_the_answer),
                cmocka_unit_test(test_an_answer_is_bounded),
                cmocka_unit_test(test_gone_is_a_reset_not_a_half_close),
                cmocka_unit_test(test_local_address),
                cmocka_unit_test(test_local_path),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
