/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is kept of a command in its place: the command and its only step are shell scripts. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/io.h"
#include "gdb/direct.h"
#include "gdb/recipe.h"

static char directory[] = "/tmp/test-direct-XXXXXX";
static char *command[] = { (char *)"./compiler", (char *)"-o", (char *)"prog", NULL };

#define KEPT "./compiler\n-o\nprog\n\n./compiler\n\n"

static void put(const char *name, const char *content, mode_t mode) {
        _cleanup_close_ int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

        assert_true(fd >= 0);
        assert_int_equal(io_write(fd, content, strlen(content), USEC_INFINITY), 0);
}

static int enter(void **state _unused_) {
        if (!mkdtemp(directory) || chdir(directory) < 0 || mkdir("kept", 0755) < 0)
                return -1;
        put("compiler", "#!/bin/sh\necho itself >&2\nexit 7\n", 0755);
        put("list", KEPT "/bin/sh\n./step\n\n", 0644);
        return setenv("PBOTVM_AHEAD", "kept", true);
}

static int leave(void **state _unused_) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                (void)execlp("rm", "rm", "-rf", directory, NULL);
                _exit(127);
        }
        return waitpid(pid, &status, 0) == pid ? status : -1;
}

static void keep(void) {
        put("step", "echo >prog; chmod +x prog\n", 0644);
        assert_int_equal(direct_keep("list"), 0);
}

/* In a process of its own, since it may become the command: the exit status, and what was said. */
static int run(Text *said) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                int fd = open("said", O_WRONLY | O_CREAT | O_TRUNC, 0644);
                _exit(fd < 0 || dup2(fd, STDERR_FILENO) < 0 ? 126 : direct_run(command));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(io_read_file(AT_FDCWD, "said", 65536, said), 0);
        return WEXITSTATUS(status);
}

static void test_what_nobody_keeps_is_run(void **state _unused_) {
        _cleanup_text_ Text said = {};

        assert_int_equal(run(&said), 7);
        assert_string_equal(text_string(&said), "itself\n");
}

static void test_ends(void **state _unused_) {
        static const struct {
                const char *step;
                int status;
                const char *said;
        } cases[] = {
                { "exit 0", 0, "" },
                { "echo warning >&2", 0, "warning\n" },
                { "echo >&2; echo prog.hs:1:1 >&2; exit 1", 1, "\nprog.hs:1:1\n" },
                { "echo '# command' >&2; exit 2", 2, "# command\n" },
                /* In other words than those of the command, at fault itself, or by a signal. */
                { "echo error >&2; exit 1", 7, "itself\n" },
                { "echo >&2; echo Could not find module >&2; exit 1", 7, "itself\n" },
                { "echo >&2; echo bug >&2; exit 3", 7, "itself\n" },
                { "echo >&2; kill -9 $$", 7, "itself\n" },
        };

        keep();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text said = {};

                put("step", cases[i].step, 0644);
                assert_int_equal(run(&said), cases[i].status);
                assert_string_equal(text_string(&said), cases[i].said);
        }
}

static void test_another_compiler_is_run(void **state _unused_) {
        _cleanup_text_ Text said = {};

        keep();
        put("compiler", "#!/bin/sh\necho itself >&2\nexit 7 # newer\n", 0755);
        assert_int_equal(run(&said), 7);
        put("compiler", "#!/bin/sh\necho itself >&2\nexit 7\n", 0755);
}

static void test_what_makes_no_program_is_not_kept(void **state _unused_) {
        static const struct {
                const char *list, *step;
                int error;
        } cases[] = {
                { KEPT "/bin/sh\n./step\n\n", "exit 0", -ENOTSUP },
                { KEPT "/bin/sh\n./step\n\n", "echo >prog; chmod +x prog; echo words >&2", -ENOTSUP },
                { KEPT "/bin/sh\n./step\n\n", "echo >prog; chmod +x prog; exit 1", -ENOTSUP },
                { KEPT, "exit 0", -EBADMSG },
                { "./compiler\n", "exit 0", -EBADMSG },
                { "./compiler\n\n./nothing\n\n/bin/sh\n./step\n\n", "exit 0", -ENOENT },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                (void)unlink("prog");
                put("list", cases[i].list, 0644);
                put("step", cases[i].step, 0644);
                assert_int_equal(direct_keep("list"), cases[i].error);
                assert_false(recipe_is_kept(command));
        }
        assert_int_equal(direct_keep("nothing"), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_nobody_keeps_is_run),
                cmocka_unit_test(test_ends),
                cmocka_unit_test(test_another_compiler_is_run),
                cmocka_unit_test(test_what_makes_no_program_is_not_kept),
        };

        return cmocka_run_group_tests(tests, enter, leave);
}
