/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A driver's steps, kept: the driver and what it starts are shell scripts. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/io.h"
#include "gdb/compile.h"
#include "gdb/recipe.h"
#include "gdb/stamps.h"

static char directory[] = "/tmp/test-recipe-XXXXXX";

static void put(const char *name, const char *content, mode_t mode) {
        _cleanup_close_ int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

        assert_true(fd >= 0);
        assert_int_equal(io_write(fd, content, strlen(content), USEC_INFINITY), 0);
}

static void assert_has(const char *name, const char *part, bool has) {
        _cleanup_text_ Text text = {};

        assert_int_equal(io_read_file(AT_FDCWD, name, 65536, &text), 0);
        assert_int_equal(strstr(text_string(&text), part) != NULL, has);
}

/* The driver counts itself, its steps write down what they are given. What they are to do is in files. */
static const char driver[] = "#!/bin/sh\nfor last; do :; done; here=$(dirname \"$0\")\n"
                             "[ \"$last\" = -### ] || { echo driver >> $here/log; exit 0; }\n"
                             "echo 'driver version 1' >&2\n"
                             "echo \" $here/cc1 -dir=$PWD \\\"a \\\\\\\"b\\\" prog.c -o $TMPDIR/x.s\" >&2\n"
                             "echo \" $here/as -o $TMPDIR/x.o $TMPDIR/x.s\" >&2\n"
                             "echo \" $here/collect2 -plugin lto -plugin-opt=x -o prog $TMPDIR/x.o\" >&2\n"
                             "test ! -e $here/warns || echo 'warning: unused' >&2\n";
static const char part[] = "#!/bin/sh\nhere=$(dirname \"$0\"); name=$(basename \"$0\")\n"
                           "echo \"$name|$1|$2|$3|$*\" >> $here/log\n"
                           "case $name in cc1) touch ${6:-$4};; esac\n"
                           "test ! -e $here/says-$name || { cat $here/says-$name >&2; exit 1; }\n";

static int enter(void **state _unused_) {
        _cleanup_text_ Text path = {};

        if (!mkdtemp(directory) || chdir(directory) < 0 || mkdir("kept", 0755) < 0)
                return -1;
        put("gcc", driver, 0755);
        put("cc1", part, 0755);
        put("as", part, 0755);
        put("prog.c", "int main(void)\n{\n}\n", 0644);
        text_append_printf(&path, "%s:/usr/bin:/bin", directory);
        if (text_failed(&path) || setenv("PATH", text_string(&path), true) < 0)
                return -1;
        text_clear(&path);
        text_append_printf(&path, "%s/kept", directory);
        return setenv("PBOTVM_AHEAD", text_string(&path), true);
}

static int leave(void **state _unused_) {
        char *command[] = { (char *)"rm", (char *)"-rf", directory, NULL };
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                (void)execvp(command[0], command);
                _exit(127);
        }
        return waitpid(pid, &status, 0) == pid ? status : -1;
}

static char *command[] = { (char *)"gcc", (char *)"prog.c", (char *)"-o", (char *)"prog", NULL };

/* The linker is the system's own, and has nothing to link: so nothing is kept. */
static void test_what_makes_no_program_is_not_kept(void **state _unused_) {
        _cleanup_text_ Text err = {};
        int status;

        assert_int_equal(recipe_make(command, "prog.c"), 0);
        assert_int_equal(recipe_run(command, &(Words){}, &err, &status), 0);
}

/* Steps as a real driver's, but for the linker. */
static void keep(void) {
        _cleanup_text_ Text path = {}, stamps = {}, steps = {};
        char *cc1[] = { (char *)"cc1", (char *)"-dir=" RECIPE_DIRECTORY, (char *)"prog.c", (char *)"-o",
                (char *)"a \"b", (char *)RECIPE_TEMPORARY "/x.s", NULL };
        char *as[] = { (char *)"as", (char *)RECIPE_TEMPORARY "/x.s", NULL };

        put("stamped", "1", 0644);
        assert_int_equal(recipe_append(&steps, cc1), 0);
        assert_int_equal(recipe_append(&steps, as), 0);
        text_append_printf(&path, "%s/stamped", directory);
        assert_int_equal(stamps_append(&stamps, text_string(&path)), 0);
        assert_int_equal(recipe_save(command, &stamps, &steps), 0);
        put("log", "", 0644);
}

static void test_steps_in_the_drivers_place(void **state _unused_) {
        _cleanup_text_ Text expected = {};

        keep();
        assert_int_equal(compile_run("prog.c", command), 0);
        text_append_printf(&expected, "cc1|-dir=%s|prog.c|-o|", directory);
        assert_has("log", text_string(&expected), true);
        assert_has("log", "a \"b /tmp/pbotvm-", true);
        assert_has("log", "as|/tmp/pbotvm-", true);
        assert_has("log", "driver", false);
}

static void test_the_compilers_own_words_are_final(void **state _unused_) {
        _cleanup_text_ Text err = {};
        int status;

        keep();
        put("says-cc1", "prog.c:1:1: error: e\n", 0644);
        assert_int_equal(recipe_run(command, &(Words){}, &err, &status), 1);
        assert_string_equal(text_string(&err), "prog.c:1:1: error: e\n");
        assert_int_equal(WEXITSTATUS(status), 1);
        assert_has("log", "as|", false);
        (void)unlink("says-cc1");
}

static void test_the_driver_tells_of_the_rest(void **state _unused_) {
        keep();
        put("says-as", "as: cannot\n", 0644);
        assert_int_equal(compile_run("prog.c", command), 0);
        assert_has("log", "driver\n", true);
        (void)unlink("says-as");
}

static void test_other_options_and_other_files_are_the_drivers(void **state _unused_) {
        char *other[] = { (char *)"gcc", (char *)"prog.c", (char *)"-O2", (char *)"-o", (char *)"prog",
                NULL };

        keep();
        assert_int_equal(compile_run("prog.c", other), 0);
        assert_has("log", "cc1", false);
        put("stamped", "22", 0644);
        assert_int_equal(compile_run("prog.c", command), 0);
        assert_has("log", "cc1", false);
}

static void test_programs_are_found_without_their_version(void **state _unused_) {
        _cleanup_text_ Text stamps = {};

        assert_int_equal(stamps_append_program(&stamps, "gcc-99.1"), 0);
        assert_non_null(strstr(text_string(&stamps), "/gcc\n"));
        assert_int_equal(stamps_append_program(&stamps, "gcc-else"), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_makes_no_program_is_not_kept),
                cmocka_unit_test(test_steps_in_the_drivers_place),
                cmocka_unit_test(test_the_compilers_own_words_are_final),
                cmocka_unit_test(test_the_driver_tells_of_the_rest),
                cmocka_unit_test(test_other_options_and_other_files_are_the_drivers),
                cmocka_unit_test(test_programs_are_found_without_their_version),
        };

        return cmocka_run_group_tests(tests, enter, leave);
}
