/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The client against a real QEMU, without a guest. Usage: test-qmp-qemu QEMU */

#include "loop.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/io.h"

#define SECOND USEC_PER_SEC

static const char *program;

typedef struct Real {
        Told told;
        pid_t pid;
        char folder[40], path[60];
} Real;

static void real_setup(Real *real) {
        QmpHooks hooks = told_hooks;
        char monitor[100];
        int r = -ENOENT;

        *real = (Real){ .folder = "/tmp/pbotvm-qmp-XXXXXX" };
        told_setup(&real->told);
        hooks.userdata = &real->told;
        assert_non_null(mkdtemp(real->folder));
        snprintf(real->path, sizeof(real->path), "%s/monitor", real->folder);
        snprintf(monitor, sizeof(monitor), "unix:%s,server=on,wait=off", real->path);
        real->pid = fork();
        if (real->pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                execl(program, program, "-nodefaults", "-no-user-config", "-display", "none", "-machine",
                        "none", "-S", "-qmp", monitor, NULL);
                _exit(127);
        }
        assert_true(real->pid > 0);
        told_until(
                &real->told, (r = qmp_connect(real->told.event, real->path, &hooks, &real->told.qmp)) >= 0 ||
                                     (r != -ENOENT && r != -ECONNREFUSED));
        assert_int_equal(r, 0);
        told_until(&real->told, real->told.ready == 1);
}

static void real_done(Real *real) {
        kill(real->pid, SIGKILL);
        assert_int_equal(waitpid(real->pid, NULL, 0), real->pid);
        told_done(&real->told);
        unlink(real->path);
        rmdir(real->folder);
}

static void expect_end(Real *real, const char *end) {
        told_until(&real->told, real->told.ends.size > 0);
        assert_string_equal(text_string(&real->told.ends), end);
        text_clear(&real->told.ends);
}

static void test_answers(void **state) {
        (void)state;
        _cleanup_(real_done) Real real;
        Told *told = &real.told;

        real_setup(&real);
        assert_in_range(atoi(qmp_version(told->qmp)), 7, 99);
        assert_int_equal(told_call(told, 'a', "query-status", NULL, -1, 10 * SECOND), 0);
        expect_end(&real, "a 0,");
        assert_string_equal(told->value, "prelaunch");
        assert_int_equal(told_call(told, 'b', "no-such-command", NULL, -1, 10 * SECOND), 0);
        expect_end(&real, "b -121,");
        assert_non_null(strstr(told->why, "no-such-command"));
        /* The longest one of those that are asked for. */
        assert_int_equal(told_call(told, 'c', "query-machines", NULL, -1, 10 * SECOND), 0);
        expect_end(&real, "c 0,");
}

static void test_descriptor(void **state) {
        (void)state;
        _cleanup_(real_done) Real real;
        Told *told = &real.told;
        int fds[2];
        char c;

        real_setup(&real);
        assert_return_code(pipe2(fds, O_CLOEXEC), errno);
        /* Two in a row: each has its own. */
        assert_int_equal(told_call(told, 'a', "getfd", "{\"fdname\":\"one\"}", fds[0], 10 * SECOND), 0);
        assert_int_equal(told_call(told, 'b', "getfd", "{\"fdname\":\"two\"}", fds[1], 10 * SECOND), 0);
        assert_int_equal(told_call(told, 'c', "getfd", "{\"fdname\":\"none\"}", -1, 10 * SECOND), 0);
        close(fds[1]);
        told_until(told, told->ends.size >= 4 + 4 + 7);
        assert_string_equal(text_string(&told->ends), "a 0,b 0,c -121,");
        text_clear(&told->ends);

        /* The end of the pipe comes when QEMU gives the other side up. */
        assert_int_equal(told_call(told, 'd', "closefd", "{\"fdname\":\"one\"}", -1, 10 * SECOND), 0);
        expect_end(&real, "d 0,");
        assert_int_equal(fd_set_nonblocking(fds[0], true), 0);
        assert_int_equal(read(fds[0], &c, 1), -1);
        assert_int_equal(told_call(told, 'e', "closefd", "{\"fdname\":\"two\"}", -1, 10 * SECOND), 0);
        expect_end(&real, "e 0,");
        assert_int_equal(read(fds[0], &c, 1), 0);
        close(fds[0]);
}

static void test_stopped(void **state) {
        (void)state;
        _cleanup_(real_done) Real real;
        Told *told = &real.told;

        real_setup(&real);
        assert_return_code(kill(real.pid, SIGSTOP), errno);
        assert_int_equal(told_call(told, 'a', "query-status", NULL, -1, SECOND / 2), 0);
        expect_end(&real, "a -110,");
        assert_string_equal(told->why, "QEMU did not answer \"query-status\" within 0.5 s");
        assert_return_code(kill(real.pid, SIGCONT), errno);
        assert_int_equal(told_call(told, 'b', "query-status", NULL, -1, 10 * SECOND), 0);
        expect_end(&real, "b 0,");
}

static void test_killed(void **state) {
        (void)state;
        _cleanup_(real_done) Real real;
        Told *told = &real.told;

        real_setup(&real);
        assert_return_code(kill(real.pid, SIGSTOP), errno);
        assert_int_equal(told_call(told, 'a', "query-status", NULL, -1, 10 * SECOND), 0);
        assert_true(sd_event_run(told->event, USEC_PER_MSEC) >= 0);
        assert_return_code(kill(real.pid, SIGKILL), errno);
        told_until(told, told->closed == 1);
        assert_int_equal(told->error, -ECONNRESET);
        assert_string_equal(text_string(&told->ends), "a -104,");
}

static void test_quit(void **state) {
        (void)state;
        _cleanup_(real_done) Real real;
        Told *told = &real.told;

        real_setup(&real);
        assert_int_equal(told_call(told, 'a', "quit", NULL, -1, 10 * SECOND), 0);
        told_until(told, told->closed == 1);
        assert_string_equal(text_string(&told->ends), "a 0,");
        assert_string_equal(text_string(&told->events), "SHUTDOWN host-qmp-quit,");
}

int main(int argc, char *argv[]) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_descriptor),
                cmocka_unit_test(test_stopped),
                cmocka_unit_test(test_killed),
                cmocka_unit_test(test_quit),
        };

        program = argc > 1 ? argv[1] : "qemu-system-x86_64";
        return cmocka_run_group_tests(tests, NULL, NULL);
}
