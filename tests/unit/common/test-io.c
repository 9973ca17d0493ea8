/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/io.h"

static void test_deadlines(void **state _unused_) {
        int fds[2];
        char block[65536] = {};
        uint64_t start = now_monotonic();

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(io_read(fds[0], block, 1, start + 20 * USEC_PER_MSEC), -ETIMEDOUT);
        int r = 0;
        for (int i = 0; i < 1000 && r == 0; i++)
                r = io_write(fds[0], block, sizeof(block), start + 40 * USEC_PER_MSEC);
        assert_int_equal(r, -ETIMEDOUT);
        assert_true(now_monotonic() - start < 5 * USEC_PER_SEC);

        close(fds[1]);
        assert_int_equal(io_write(fds[0], "x", 1, USEC_INFINITY), -EPIPE);
        close(fds[0]);
}

static void test_reads_files_with_a_bound(void **state _unused_) {
        _cleanup_text_ Text t = {};

        assert_int_equal(io_read_file(AT_FDCWD, "/dev/zero", 100000, &t), -EFBIG);
        assert_int_equal(io_read_file(AT_FDCWD, "/nonexistent/file", 10, &t), -ENOENT);
        assert_int_equal(io_read_file(AT_FDCWD, "/proc/self/comm", 100, &t), 0);
        assert_string_equal(text_string(&t), "test-io\n");
}

static void test_sums(void **state _unused_) {
        assert_true(usec_add(1, 2) == 3);
        assert_true(usec_add(USEC_INFINITY, 0) == USEC_INFINITY);
        assert_true(usec_add(USEC_INFINITY - 1, 5) == USEC_INFINITY);
}

static void test_directories_are_made(void **state _unused_) {
        char top[] = "/tmp/test-io-XXXXXX", path[sizeof(top) + 16], file[sizeof(top) + 16];
        struct stat st;

        assert_non_null(mkdtemp(top));
        snprintf(path, sizeof(path), "%s/a/b", top);
        assert_int_equal(io_make_directories(path), 0);
        assert_int_equal(io_make_directories(path), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0700);
        rmdir(path);

        snprintf(path, sizeof(path), "%s/a", top);
        rmdir(path);
        snprintf(file, sizeof(file), "%s/f", top);
        close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        snprintf(path, sizeof(path), "%s/f/b", top);
        assert_int_equal(io_make_directories(path), -ENOTDIR);
        unlink(file);
        assert_int_equal(rmdir(top), 0);
}

/* A listener that accepts nobody takes few, and then lets others wait; one that is gone refuses. */
static void test_connect(void **state) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
        const struct sockaddr *to = (const struct sockaddr *)&address;
        socklen_t size = sizeof(address);
        int fds[4];

        (void)state;
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(listener, to, size), 0);
        assert_int_equal(listen(listener, 0), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
        fds[0] = io_connect(to, size, now_monotonic() + 20 * USEC_PER_SEC);
        assert_true(fds[0] >= 0);
        assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
        for (size_t i = 1; i < ELEMENTSOF(fds); i++)
                fds[i] = io_connect(to, size, now_monotonic() + 100 * USEC_PER_MSEC);
        assert_int_equal(fds[ELEMENTSOF(fds) - 1], -ETIMEDOUT);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                fd_close(fds[i]);
        close(listener);
        assert_int_equal(io_connect(to, size, now_monotonic() + 20 * USEC_PER_SEC), -ECONNREFUSED);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_deadlines),
                cmocka_unit_test(test_connect),
                cmocka_unit_test(test_reads_files_with_a_bound),
                cmocka_unit_test(test_sums),
                cmocka_unit_test(test_directories_are_made),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
