/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pbotvm-gdb with a debugger that is not one: the program is run all the same, and nothing hangs. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/io.h"

static const char *arg_program;

static int enter(void **state _unused_) {
        char directory[] = "/tmp/test-session-XXXXXX";

        return mkdtemp(directory) ? chdir(directory) : -1;
}

static int leave(void **state _unused_) {
        _cleanup_free_ char *directory = getcwd(NULL, 0);

        (void)unlink("gdb");
        (void)unlink("prog");
        return rmdir(directory);
}

static void put_script(const char *name, const char *script) {
        _cleanup_close_ int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

        assert_int_equal(io_write(fd, script, strlen(script), USEC_INFINITY), 0);
}

/* What pbotvm-gdb prints and how it ends, with this debugger. */
static int run(const char *debugger, const char *program, Text *out) {
        char buffer[4096];
        int fds[2], status;
        ssize_t n;
        pid_t pid;

        put_script("gdb", debugger);
        put_script("prog", program);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                (void)setenv("PATH", ".:/usr/bin:/bin", true);
                (void)dup2(fds[1], STDOUT_FILENO);
                (void)execl(arg_program, arg_program, "--source", "prog.c", "--", "./prog", "a b", NULL);
                _exit(1);
        }
        close(fds[1]);
        while ((n = io_read(fds[0], buffer, sizeof(buffer), usec_add(now_monotonic(), 20 * USEC_PER_SEC))) >
                0)
                text_append(out, buffer, (size_t)n);
        assert_int_equal(n, 0);
        close(fds[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
}

static const struct {
        const char *debugger;
} debuggers[] = {
        { "#!/bin/sh\nexit 0\n" },
        { "#!/bin/sh\nexit 1\n" },
        { "#!/bin/sh\nhead -c 5000000 /dev/zero\n" },
        { "#!/bin/sh\necho '1^error,msg=\"no\"'; echo '2^error,msg=\"no\"'; echo '3^error,msg=\"no\"'; "
          "sleep 1\n" },
        { "#!/bin/sh\nread x; echo 'garbage'; echo '1^done,bkpt={'; exit 0\n" },
        { "no interpreter" },
};

static void test_program_runs_without_a_debugger(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(debuggers); i++) {
                _cleanup_text_ Text out = {};
                int status = run(debuggers[i].debugger, "#!/bin/sh\necho \"out $1\"; exit 3\n", &out);

                assert_string_equal(text_string(&out), "out a b\n");
                assert_true(WIFEXITED(status));
                assert_int_equal(WEXITSTATUS(status), 3);
        }
}

/* A debugger that speaks the interface: the program ran, printed nothing, and died of a signal. */
static void test_tells_of_a_signal_and_ends_by_it(void **state _unused_) {
        _cleanup_text_ Text out = {};
        int status = run(
                "#!/bin/sh\nn=0; while read x; do n=$((n + 1)); case $x in *exec-run*) echo \"$n^running\";"
                " echo "
                "'*stopped,reason=\"signal-received\",signal-name=\"SIGFPE\",signal-meaning=\"Arithmetic "
                "exception\"';; *stack-list-frames*) echo "
                "\"$n^done,stack=[frame={level=\\\"0\\\",func=\\\"f\\\"}]\";;"
                " *) echo \"$n^done\";; esac; done\n",
                "#!/bin/sh\n", &out);

        assert_string_equal(
                text_string(&out), "\nProgram received signal SIGFPE, Arithmetic exception in f ()\n\n");
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGFPE);
}

/* One that still loads when the time is over: without it there is none for the program either. */
static void test_a_debugger_that_takes_all_the_time(void **state _unused_) {
        _cleanup_text_ Text out = {};

        assert_int_equal(setenv("PBOTVM_TIME_USEC", "300000", true), 0);
        int status = run("#!/bin/sh\nexec /bin/sleep 10\n", "#!/bin/sh\necho out\n", &out);
        (void)unsetenv("PBOTVM_TIME_USEC");

        assert_string_equal(text_string(&out), "[gdb time-out]\n");
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGALRM);
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_program_runs_without_a_debugger),
                cmocka_unit_test(test_tells_of_a_signal_and_ends_by_it),
                cmocka_unit_test(test_a_debugger_that_takes_all_the_time),
        };

        if (argc < 2)
                return 1;
        arg_program = argv[1];
        return cmocka_run_group_tests(tests, enter, leave);
}
