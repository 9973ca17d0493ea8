/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver with a shell in the place of the compiler. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/io.h"
#include "gdb/compile.h"

static const char source[] = "int main(void)\n{\n    print_last_statement(x);\n}\n";

static int enter(void **state _unused_) {
        char directory[] = "/tmp/test-compile-XXXXXX";

        return mkdtemp(directory) ? chdir(directory) : -1;
}

static int leave(void **state _unused_) {
        _cleanup_free_ char *directory = getcwd(NULL, 0);

        (void)unlink("prog.c");
        (void)unlink("err");
        (void)unlink("count");
        return rmdir(directory);
}

static void put(const char *name, const char *content) {
        _cleanup_close_ int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_int_equal(io_write(fd, content, strlen(content), USEC_INFINITY), 0);
}

static void assert_file(const char *name, const char *content) {
        _cleanup_text_ Text text = {};

        assert_int_equal(io_read_file(AT_FDCWD, name, 65536, &text), 0);
        assert_string_equal(text_string(&text), content);
}

/* Runs the script as the compiler of the text, its stderr in the file err. */
static int compile_source(const char *text, const char *script) {
        char *command[] = { (char *)"sh", (char *)"-c", (char *)script, (char *)"sh", NULL };
        int saved = dup(STDERR_FILENO), r;
        _cleanup_close_ int fd = open("err", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        put("prog.c", text);
        dup2(fd, STDERR_FILENO);
        r = compile_run("prog.c", command);
        dup2(saved, STDERR_FILENO);
        close(saved);
        return r;
}

static int compile(const char *script) {
        return compile_source(source, script);
}

static void test_success_compiles_once(void **state _unused_) {
        put("count", "");
        assert_int_equal(compile("echo once >> count; echo 'prog.c:3:26: warning: w' >&2"), 0);
        assert_file("count", "once\n");
        assert_file("err", "prog.c:3:5: warning: w\n");
        assert_file("prog.c", source);
}

static void test_error_elsewhere_is_the_compilers(void **state _unused_) {
        put("count", "");
        assert_int_equal(compile("echo once >> count; echo 'prog.c:2:3: error: e' >&2; exit 1"), 1);
        assert_file("count", "once\n");
        assert_file("err", "prog.c:2:3: error: e\n");
}

static void test_error_of_the_line_is_told_without_the_macro(void **state _unused_) {
        put("count", "");
        assert_int_equal(compile("echo >> count; if grep -q print_last prog.c; then echo 'prog.c:3:26: "
                                 "error: macro' >&2;"
                                 " else echo 'prog.c:3:5: error: plain' >&2; fi; exit 1"),
                1);
        assert_file("count", "\n\n");
        assert_file("err", "prog.c:3:5: error: plain\n");
        assert_file("prog.c", "int main(void)\n{\n    x;\n}\n");
}

static void test_bit_field_is_promoted(void **state _unused_) {
        assert_int_equal(compile("case $1 in -D__PBOTVM_BIT_FIELD) exit 0;; esac;"
                                 "echo 'prog.c:3:26: error: typeof applied to a bit-field' >&2; exit 1"),
                0);
        assert_file("err", "");
        assert_file("prog.c", source);
}

static void test_type_is_defined_once(void **state _unused_) {
        assert_int_equal(compile("case $1 in -D__PBOTVM_ONCE) exit 0;; esac;"
                                 "echo \"prog.c:3:26: error: redeclaration of enumerator 'A'\" >&2; exit 1"),
                0);
        assert_file("err", "");
        assert_file("prog.c", source);
}

static void test_what_the_standard_hides_is_declared(void **state _unused_) {
        static const char hidden[] = "int main(void)\n{\n    usleep(5);\n}\n";

        assert_int_equal(
                compile_source(hidden,
                        "case $1 in -D_DEFAULT_SOURCE) echo 'prog.c:1:1: warning: w' >&2; exit 0;; esac;"
                        "echo 'prog.c:3:5: error: implicit declaration of function' >&2; exit 1"),
                0);
        assert_file("err", "prog.c:1:1: warning: w\n");
        /* It does not help: the words are those without it. */
        assert_int_equal(
                compile_source(hidden, "case $1 in -D_DEFAULT_SOURCE) echo other >&2; exit 2;; esac;"
                                       "echo 'prog.c:2:3: error: e' >&2; exit 1"),
                1);
        assert_file("err", "prog.c:2:3: error: e\n");
        /* A compiler of old warns, and that is all; what has no such name is tried once. */
        put("count", "");
        assert_int_equal(compile_source(hidden, "echo >> count; echo 'prog.c:3:5: warning: w' >&2"), 0);
        assert_int_equal(compile("echo >> count; echo 'prog.c:2:3: error: e' >&2; exit 1"), 1);
        assert_file("count", "\n\n");
}

static void test_own_function_wins(void **state _unused_) {
        /* Also where the last expression is then told without our macro. */
        assert_int_equal(
                compile("case $1 in -D__PBOTVM_OWN_FUNCTIONS) if grep -q print_last prog.c; then "
                        "echo 'prog.c:3:26: error: macro' >&2; else echo 'prog.c:3:5: error: plain' "
                        ">&2; fi;; *) echo \"prog.c:1:5: error: ambiguating new declaration of 'int "
                        "puts(const char*)'\" >&2;; esac; exit 1"),
                1);
        assert_file("err", "prog.c:3:5: error: plain\n");
        /* The headers cannot do without: the words are those without it. */
        assert_int_equal(
                compile("case $1 in -D__PBOTVM_OWN_FUNCTIONS) echo 'In file included from a.h' >&2;; *) "
                        "echo 'prog.c:1:5: error: functions that differ only in their return type "
                        "cannot be overloaded' >&2;; esac; exit 1"),
                1);
        assert_file("err",
                "prog.c:1:5: error: functions that differ only in their return type cannot be overloaded\n");
}

static void test_missing_compiler(void **state _unused_) {
        char *command[] = { (char *)"/nonexistent/cc", NULL };

        put("prog.c", source);
        assert_int_equal(compile_run("prog.c", command), -ENOENT);
}

static void test_version_that_is_not_there(void **state _unused_) {
        char name[] = "true-3.7", other[] = "nosuch-3.7", letters[] = "nosuch-x86";
        char *command[] = { name, NULL };

        put("prog.c", "int x;\n");
        assert_int_equal(compile_run("prog.c", command), 0);
        command[0] = other;
        assert_int_equal(compile_run("prog.c", command), -ENOENT);
        command[0] = letters;
        assert_int_equal(compile_run("prog.c", command), -ENOENT);
        assert_string_equal(letters, "nosuch-x86");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_success_compiles_once),
                cmocka_unit_test(test_error_elsewhere_is_the_compilers),
                cmocka_unit_test(test_error_of_the_line_is_told_without_the_macro),
                cmocka_unit_test(test_bit_field_is_promoted),
                cmocka_unit_test(test_type_is_defined_once),
                cmocka_unit_test(test_what_the_standard_hides_is_declared),
                cmocka_unit_test(test_own_function_wins),
                cmocka_unit_test(test_missing_compiler),
                cmocka_unit_test(test_version_that_is_not_there),
        };

        return cmocka_run_group_tests(tests, enter, leave);
}
