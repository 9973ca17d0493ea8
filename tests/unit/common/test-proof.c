/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "common/proof.h"

#define HALF "0123456789abcdef0123456789ABCDEF"

static char path[] = "/tmp/test-proof-XXXXXX";

static int made(_unused_ void **state) {
        int fd = mkstemp(path);

        fd_close(fd);
        return fd < 0 ? -1 : 0;
}

static int gone(_unused_ void **state) {
        return unlink(path);
}

static int said(const char *text, mode_t mode) {
        uint8_t secret[SECRET_SIZE] = {}, expected[SECRET_SIZE];
        int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

        assert_return_code(fd, errno);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        assert_return_code(fchmod(fd, mode), errno);
        fd_close(fd);
        int r = secret_read(path, secret);
        for (size_t i = 0; i < SECRET_SIZE; i++)
                expected[i] = (uint8_t)((i % 8 * 2) << 4 | (i % 8 * 2 + 1));
        if (r >= 0)
                assert_memory_equal(secret, expected, SECRET_SIZE);
        return r;
}

static void test_a_secret_of_a_file(_unused_ void **state) {
        uint8_t secret[SECRET_SIZE];

        assert_int_equal(said(HALF HALF, 0600), 0);
        /* As of systemd, with a list of who may. */
        assert_int_equal(said(HALF HALF "\n", 0440), 0);
        assert_int_equal(said(HALF HALF, 0604), -EPERM);
        assert_int_equal(said(HALF HALF, 0602), -EPERM);
        assert_int_equal(said("", 0600), -EBADMSG);
        assert_int_equal(said(HALF, 0600), -EBADMSG);
        assert_int_equal(said(HALF HALF "0", 0600), -EBADMSG);
        assert_int_equal(said(HALF HALF "\n\n", 0600), -EBADMSG);
        assert_int_equal(said(HALF HALF HALF, 0600), -EBADMSG);
        assert_int_equal(said(HALF "0123456789abcdef0123456789abcdeg", 0600), -EBADMSG);
        assert_int_equal(secret_read("/tmp", secret), -EBADMSG);
        assert_int_equal(secret_read("/nonexistent/secret", secret), -ENOENT);
}

/* Nobody waits for who would write into it. */
static void test_a_pipe_is_no_file(_unused_ void **state) {
        uint8_t secret[SECRET_SIZE];

        assert_return_code(unlink(path), errno);
        assert_return_code(mkfifo(path, 0600), errno);
        assert_int_equal(secret_read(path, secret), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_secret_of_a_file),
                cmocka_unit_test(test_a_pipe_is_no_file),
        };
        return cmocka_run_group_tests(tests, made, gone);
}
