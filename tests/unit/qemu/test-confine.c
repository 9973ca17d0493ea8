/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "qemu/confine.h"

/* 0, or the error of a call, once a process is confined as the definition says. */
static int confined(const QemuDefinition *definition, long call, long a, long b) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                if (qemu_confine(definition) < 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
                        _exit(255);
                _exit(syscall(call, a, b, 0) < 0 ? errno : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_not_equal(WEXITSTATUS(status), 255);
        return WEXITSTATUS(status);
}

static int socket_of(const QemuDefinition *definition, int family, int type) {
        return confined(definition, SYS_socket, family, type);
}

static void test_families(void **state) {
        (void)state;
        const QemuDefinition none = {}, serial = { .serial_data = 5555 }, heart = { .serial_heart = 5555 },
                             network = { .network = QEMU_NETWORK_USER };

        assert_int_equal(socket_of(&none, AF_UNIX, SOCK_STREAM), 0);
        assert_int_equal(socket_of(&none, AF_INET, SOCK_STREAM), EAFNOSUPPORT);
        assert_int_equal(socket_of(&none, AF_INET6, SOCK_STREAM), EAFNOSUPPORT);
        assert_int_equal(socket_of(&serial, AF_INET, SOCK_STREAM), 0);
        assert_int_equal(socket_of(&heart, AF_INET, SOCK_STREAM), 0);
        assert_int_equal(socket_of(&network, AF_INET, SOCK_DGRAM), 0);
        assert_int_equal(socket_of(&network, AF_NETLINK, SOCK_RAW), EAFNOSUPPORT);
        assert_int_equal(socket_of(&network, AF_PACKET, SOCK_RAW), EAFNOSUPPORT);
        /* Of which this has never heard. */
        assert_int_equal(socket_of(&network, AF_MAX, SOCK_RAW), EAFNOSUPPORT);
        assert_int_equal(socket_of(&network, -1, SOCK_RAW), EAFNOSUPPORT);
}

/* Its operations are seen by no filter, and one of them is socket(). */
static void test_ring(void **state) {
        (void)state;
        const QemuDefinition network = { .network = QEMU_NETWORK_USER };

        assert_int_equal(confined(&network, SYS_io_uring_setup, 1, 0), EPERM);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_families),
                cmocka_unit_test(test_ring),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
