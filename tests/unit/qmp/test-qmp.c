/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The client against a peer that a test plays by hand. */

#include "loop.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/io.h"

#define GREETING                                                                                            \
        "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, \"package\": "     \
        "\"\"}, "                                                                                           \
        "\"capabilities\": [\"oob\"]}}\r\n"
#define SECOND USEC_PER_SEC

typedef struct Mock {
        Told told;
        int fd;
        char got[4096]; /* what came last, NUL behind */
        int got_fd;     /* a descriptor that came with it */
} Mock;

static void mock_setup(Mock *mock) {
        int fds[2];
        QmpHooks hooks = told_hooks;

        *mock = (Mock){ .got_fd = -EBADF };
        told_setup(&mock->told);
        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), errno);
        mock->fd = fds[0];
        hooks.userdata = &mock->told;
        assert_int_equal(qmp_new(mock->told.event, fds[1], &hooks, &mock->told.qmp), 0);
}

static void mock_done(Mock *mock) {
        told_done(&mock->told);
        fd_close(mock->fd);
        fd_close(mock->got_fd);
}

static void say(Mock *mock, const char *text) {
        assert_int_equal(write(mock->fd, text, strlen(text)), strlen(text));
}

/* Receives what the client has sent, while it runs. */
static const char *heard(Mock *mock) {
        union {
                struct cmsghdr head;
                char space[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec piece = { mock->got, sizeof(mock->got) - 1 };
        struct msghdr message = { .msg_iov = &piece,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control) };
        ssize_t n = -1;

        told_until(&mock->told, (n = recvmsg(mock->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)) >= 0);
        mock->got[n] = '\0';
        if (message.msg_controllen > 0 && control.head.cmsg_type == SCM_RIGHTS)
                memcpy(&mock->got_fd, CMSG_DATA(&control.head), sizeof(int));
        return mock->got;
}

static void greet(Mock *mock) {
        say(mock, GREETING);
        assert_string_equal(heard(mock), "{\"execute\":\"qmp_capabilities\",\"id\":1}\n");
        say(mock, "{\"return\": {}, \"id\": 1}\r\n");
        told_until(&mock->told, mock->told.ready == 1);
}

static void run_a_while(Mock *mock) {
        for (int i = 0; i < 5; i++)
                assert_true(sd_event_run(mock->told.event, 10 * USEC_PER_MSEC) >= 0);
}

static void test_handshake(void **state) {
        (void)state;
        _cleanup_(mock_done) Mock mock;

        mock_setup(&mock);
        assert_string_equal(qmp_version(mock.told.qmp), "");
        /* What is asked before the greeting waits for the handshake. */
        assert_int_equal(told_call(&mock.told, 'a', "query-status", NULL, -1, 5 * SECOND), 0);
        say(&mock, "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 3, \"min");
        run_a_while(&mock);
        say(&mock, "or\": 1, \"major\": 11}}, \"capabilities\": []}}\r\n");
        assert_string_equal(heard(&mock), "{\"execute\":\"qmp_capabilities\",\"id\":2}\n");
        assert_string_equal(qmp_version(mock.told.qmp), "11.1.3");
        /* Events before the end of it are of a QEMU that nobody commands yet. */
        say(&mock, "{\"event\": \"EARLY\"}\r\n{\"return\": {}, \"id\": 2}\r\n");
        assert_string_equal(heard(&mock), "{\"execute\":\"query-status\",\"id\":1}\n");
        say(&mock, "{\"return\": {\"status\": \"running\"}, \"id\": 1}\r\n");
        told_until(&mock.told, mock.told.ends.size > 0);
        assert_string_equal(text_string(&mock.told.ends), "a 0,");
        assert_string_equal(mock.told.value, "running");
        assert_string_equal(text_string(&mock.told.events), "");
        assert_int_equal(mock.told.ready, 1);
}

static void test_no_monitor(void **state) {
        (void)state;
        static const struct {
                const char *said, *why;
                int error;
        } cases[] = {
                { "220 mail.example\r\n", "QEMU's message cannot be read: ", -EPROTO },
                { "{\"return\": {}}\r\n", "what answers is no QEMU monitor", -EPROTO },
                { "[]\r\n", "what answers is no QEMU monitor", -EPROTO },
                { "{\"QMP\": {\"version\": 7}}\r\n", "QEMU's greeting has no version", -EPROTO },
                { "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": -1, \"minor\": 2, \"major\": 7}}}}\r\n",
                        "QEMU's greeting has no version", -EPROTO },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(mock_done) Mock mock;

                mock_setup(&mock);
                assert_int_equal(told_call(&mock.told, 'a', "query-status", NULL, -1, 5 * SECOND), 0);
                say(&mock, cases[i].said);
                told_until(&mock.told, mock.told.closed == 1);
                assert_int_equal(mock.told.error, cases[i].error);
                assert_non_null(startswith(mock.told.why, cases[i].why));
                assert_string_equal(text_string(&mock.told.ends), "a -71,");
                assert_int_equal(told_call(&mock.told, 'b', "query-status", NULL, -1, SECOND), -ENOTCONN);
        }
}

static void test_refused_handshake(void **state) {
        (void)state;
        _cleanup_(mock_done) Mock mock;

        mock_setup(&mock);
        say(&mock, GREETING);
        (void)heard(&mock);
        say(&mock,
                "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\\n\\u001b[2J\"}, \"id\": 1}\r\n");
        told_until(&mock.told, mock.told.closed == 1);
        assert_string_equal(mock.told.why, "the handshake with QEMU failed: no??[2J");
}

static void test_answers_in_any_order(void **state) {
        (void)state;
        _cleanup_(mock_done) Mock mock;

        mock_setup(&mock);
        greet(&mock);
        assert_int_equal(told_call(&mock.told, 'a', "first", "{\"x\":1}", -1, 5 * SECOND), 0);
        assert_int_equal(told_call(&mock.told, 'b', "second", NULL, -1, 5 * SECOND), 0);
        assert_int_equal(told_call(&mock.told, 'c', "third", NULL, -1, 5 * SECOND), 0);
        assert_string_equal(heard(&mock), "{\"execute\":\"first\",\"arguments\":{\"x\":1},\"id\":2}\n"
                                          "{\"execute\":\"second\",\"id\":3}\n"
                                          "{\"execute\":\"third\",\"id\":4}\n");
        /* With events between, answers to nothing, and one that comes twice. */
        say(&mock, "{\"return\": \"3\", \"id\": 4}\r\n"
                   "{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 1, \"microseconds\": 2}}\r\n"
                   "{\"return\": \"4\", \"id\": 4}\n\r\n"
                   "{\"return\": {}, \"id\": 99}\r\n{\"return\": {}, \"id\": \"2\"}\r\n{\"return\": {}}\r\n"
                   "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no such\"}, \"id\": 2}\r\n"
                   "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-panic\"}}\r\n"
                   "{\"return\": \"2\", \"id\": 3}\r\n");
        told_until(&mock.told, mock.told.ends.size >= 3 * 4);
        assert_string_equal(text_string(&mock.told.ends), "c 0,a -121,b 0,");
        assert_string_equal(text_string(&mock.told.events), "STOP,SHUTDOWN guest-panic,");
        assert_string_equal(mock.told.value, "2");
        assert_int_equal(mock.told.closed, 0);
}

static void test_refusal_without_words(void **state) {
        (void)state;
        _cleanup_(mock_done) Mock mock;

        mock_setup(&mock);
        greet(&mock);
        assert_int_equal(told_call(&mock.told, 'a', "x", NULL, -1, 5 * SECOND), 0);
        (void)heard(&mock);
        say(&mock, "{\"id\": 2}\r\n");
        told_until(&mock.told, mock.told.ends.size > 0);
        assert_string_equal(text_string(&mock.told.ends), "a -121,");
        assert_string_equal(mock.told.why, "QEMU does not say why");
}

static void test_peer_that_dies(void **state) {
        (void)state;
        _cleanup_(mock_done) Mock mock;

        mock_setup(&mock);
        greet(&mock);
        assert_int_equal(told_call(&mock.told, 'a', "x", NULL, -1, 5 * SECOND), 0);
        assert_int_equal(told_call(&mock.told, 'b', "y", NULL, -1, 5 * SECOND), 0);
        (void)heard(&mock);
        /* The beginning of a message is none. */
        say(&mock, "{\"return\": {}");
        mock.fd = fd_close(mock.fd);
        told_until(&mock.told, mock.told.closed == 1);
        assert_int_equal(mock.told.error, -ECONNRESET);
        assert_string_equal(mock.told.why, "QEMU closed its monitor");
        assert_string_equal(text_string(&mock.told.ends), "a -104,b -104,");
        run_a_while(&mock);
        assert_int_equal(mock.told.closed, 1);
}

static void test_peer_that_never_answers(void **state) {
        (void)state;
        _cleanup_(mock_done) Mock mock;
        uint64_t begun = now_monotonic();

        mock_setup(&mock);
        greet(&mock);
        assert_int_equal(told_call(&mock.told, 'a', "slow", NULL, -1, 30 * SECOND), 0);
        assert_int_equal(told_call(&mock.told, 'b', "never", NULL, -1, SECOND / 5), 0);
        (void)heard(&mock);
        told_until(&mock.told, mock.told.ends.size > 0);
        assert_in_range(now_monotonic() - begun, SECOND / 5, 5 * SECOND);
        assert_string_equal(text_string(&mock.told.ends), "b -110,");
        assert_string_equal(mock.told.why, "QEMU did not answer \"never\" within 0.2 s");
        /* It comes too late; the other one does not. */
        say(&mock, "{\"return\": {}, \"id\": 3}\r\n{\"return\": {}, \"id\": 2}\r\n");
        told_until(&mock.told, mock.told.ends.size > 7);
        assert_string_equal(text_string(&mock.told.ends), "b -110,a 0,");
        assert_int_equal(mock.told.closed, 0);
}

/* Nothing is read from it: the socket is full, and lines stay whole all the same. */
static void test_peer_that_never_reads(void **state) {
        (void)state;
        _cleanup_(mock_done) Mock mock;
        _cleanup_text_ Text large = {}, all = {};
        char buffer[65536];
        ssize_t n;

        text_append_string(&large, "{\"x\":\"");
        for (int i = 0; i < 3000000; i++)
                text_append_char(&large, 'x');
        text_append_string(&large, "\"}");

        mock_setup(&mock);
        greet(&mock);
        assert_int_equal(told_call(&mock.told, 'a', "large", text_string(&large), -1, SECOND / 5), 0);
        assert_int_equal(told_call(&mock.told, 'b', "unsent", NULL, -1, SECOND / 5), 0);
        assert_int_equal(told_call(&mock.told, 'c', "later", NULL, -1, 20 * SECOND), 0);
        told_until(&mock.told, mock.told.ends.size >= 14);
        assert_string_equal(text_string(&mock.told.ends), "a -110,b -110,");
        while (!memmem(all.data, all.size, "later", 5)) {
                told_until(&mock.told, (n = recv(mock.fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0);
                text_append(&all, buffer, (size_t)n);
        }
        assert_null(memmem(all.data, all.size, "unsent", 6));
        assert_non_null(memmem(all.data, all.size, "x\"},\"id\":2}\n{\"execute\":\"later\"", 29));
        say(&mock, "{\"return\": {}, \"id\": 4}\r\n");
        told_until(&mock.told, mock.told.ends.size > 14);
}

static void test_message_without_end(void **state) {
        (void)state;
        _cleanup_(mock_done) Mock mock;
        char buffer[65536];

        memset(buffer, ' ', sizeof(buffer));
        mock_setup(&mock);
        greet(&mock);
        assert_int_equal(told_call(&mock.told, 'a', "x", NULL, -1, 20 * SECOND), 0);
        told_until(&mock.told, ((void)send(mock.fd, buffer, sizeof(buffer), MSG_DONTWAIT | MSG_NOSIGNAL),
                                       mock.told.closed == 1));
        assert_int_equal(mock.told.error, -EMSGSIZE);
        assert_string_equal(mock.told.why, "a message of QEMU's has more than 1048576 bytes");
        assert_string_equal(text_string(&mock.told.ends), "a -90,");
}

static void test_descriptor(void **state) {
        (void)state;
        _cleanup_(mock_done) Mock mock;
        int fds[2];
        char c = 0;

        mock_setup(&mock);
        greet(&mock);
        assert_return_code(pipe(fds), errno);
        assert_int_equal(told_call(&mock.told, 'a', "getfd", "{\"fdname\":\"x\"}", fds[1], 5 * SECOND), 0);
        /* It is the caller's as before. */
        close(fds[1]);
        assert_string_equal(
                heard(&mock), "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"x\"},\"id\":2}\n");
        assert_true(mock.got_fd >= 0);
        assert_int_equal(write(mock.got_fd, "!", 1), 1);
        assert_int_equal(read(fds[0], &c, 1), 1);
        assert_int_equal(c, '!');
        /* And the peer's alone. */
        mock.got_fd = fd_close(mock.got_fd);
        assert_int_equal(read(fds[0], &c, 1), 0);
        close(fds[0]);
        assert_int_equal(told_call(&mock.told, 'b', "x", NULL, 9999, 5 * SECOND), -EBADF);
}

static void test_freed_by_a_hook(void **state) {
        (void)state;
        _cleanup_(mock_done) Mock mock;

        mock_setup(&mock);
        greet(&mock);
        assert_int_equal(told_call(&mock.told, 'a', "x", NULL, -1, 5 * SECOND), 0);
        assert_int_equal(told_call(&mock.told, 'b', "x", NULL, -1, 5 * SECOND), 0);
        (void)heard(&mock);
        mock.told.frees = true;
        say(&mock,
                "{\"return\": {}, \"id\": 2}\r\n{\"return\": {}, \"id\": 3}\r\n{\"event\": \"STOP\"}\r\n");
        told_until(&mock.told, mock.told.ends.size > 0);
        assert_null(mock.told.qmp);
        run_a_while(&mock);
        assert_string_equal(text_string(&mock.told.ends), "a 0,");
        assert_string_equal(text_string(&mock.told.events), "");
        assert_int_equal(mock.told.closed, 0);
}

/* In the midst of telling all of them that the peer is gone; and at a deadline. */
static void test_freed_at_the_end(void **state) {
        (void)state;

        for (int i = 0; i < 2; i++) {
                _cleanup_(mock_done) Mock mock;

                mock_setup(&mock);
                greet(&mock);
                assert_int_equal(told_call(&mock.told, 'a', "x", NULL, -1, SECOND / 5), 0);
                assert_int_equal(told_call(&mock.told, 'b', "x", NULL, -1, SECOND / 5), 0);
                mock.told.frees = true;
                if (i == 0)
                        mock.fd = fd_close(mock.fd);
                told_until(&mock.told, mock.told.ends.size > 0);
                assert_null(mock.told.qmp);
                assert_string_equal(text_string(&mock.told.ends), i == 0 ? "a -104," : "a -110,");
                assert_int_equal(mock.told.closed, 0);
        }
}

static void test_connect(void **state) {
        (void)state;
        Told told;
        QmpHooks hooks = told_hooks;
        char folder[] = "/tmp/pbotvm-qmp-XXXXXX", path[200];
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        told_setup(&told);
        hooks.userdata = &told;
        assert_non_null(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/%0150i", folder, 0);
        assert_int_equal(qmp_connect(told.event, path, &hooks, &told.qmp), -ENAMETOOLONG);
        snprintf(path, sizeof(path), "%s/monitor", folder);
        assert_int_equal(qmp_connect(told.event, path, &hooks, &told.qmp), -ENOENT);

        memcpy(address.sun_path, path, strlen(path));
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof(address)), errno);
        assert_int_equal(qmp_connect(told.event, path, &hooks, &told.qmp), -ECONNREFUSED);
        assert_return_code(listen(fd, 1), errno);
        assert_int_equal(qmp_connect(told.event, path, &hooks, &told.qmp), 0);
        close(fd);
        told_until(&told, told.closed == 1);
        unlink(path);
        rmdir(folder);
        told_done(&told);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_handshake),
                cmocka_unit_test(test_no_monitor),
                cmocka_unit_test(test_refused_handshake),
                cmocka_unit_test(test_answers_in_any_order),
                cmocka_unit_test(test_refusal_without_words),
                cmocka_unit_test(test_peer_that_dies),
                cmocka_unit_test(test_peer_that_never_answers),
                cmocka_unit_test(test_peer_that_never_reads),
                cmocka_unit_test(test_message_without_end),
                cmocka_unit_test(test_descriptor),
                cmocka_unit_test(test_freed_by_a_hook),
                cmocka_unit_test(test_freed_at_the_end),
                cmocka_unit_test(test_connect),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
