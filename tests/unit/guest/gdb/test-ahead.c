/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Headers compiled ahead: for which command and source they are taken. Compilers are shell scripts, named so
 * that they are taken for gcc or clang. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/io.h"
#include "gdb/ahead-list.h"
#include "gdb/ahead.h"
#include "gdb/compile.h"

static char directory[] = "/tmp/test-ahead-XXXXXX";

#define HEAD "#include <stdio.h>\n\n#include <prelude.h>\n"
#define CODE HEAD "\nint main(void)\n{\n}\n"

static void put(const char *name, const char *content, mode_t mode) {
        _cleanup_close_ int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

        assert_true(fd >= 0);
        assert_int_equal(io_write(fd, content, strlen(content), USEC_INFINITY), 0);
}

static void append_line(const char *name) {
        _cleanup_close_ int fd = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);

        assert_int_equal(io_write(fd, "#\n", 2, USEC_INFINITY), 0);
}

/* Counts its runs; makes what -o names, depends on the file "header", complains if it is to. */
static const char compiler[] =
        "#!/bin/sh\necho \"$*\" >> count\n"
        "while [ $# -gt 0 ]; do case $1 in -o) echo made > $2;; -MF) echo \"x: $PWD/header\" > $2;; "
        "-include*) test -e complain && { echo \"$2 is not good\" >&2; exit 1; };; esac; shift; done\n"
        "exit 0\n";

static int enter(void **state _unused_) {
        _cleanup_text_ Text path = {}, folder = {};

        if (!mkdtemp(directory) || chdir(directory) < 0)
                return -1;
        put("cc", compiler, 0755);
        put("clang", compiler, 0755);
        put("header", "one\n", 0644);
        text_append_printf(&path, "%s:/usr/bin:/bin", directory);
        text_append_printf(&folder, "%s/compilers", directory);
        return setenv("PATH", text_string(&path), true) + setenv("PBOTVM_AHEAD", text_string(&folder), true);
}

static int leave(void **state _unused_) {
        return system("rm -r compilers cc clang header list count prog* complain") < 0 ? -1
                                                                                       : rmdir(directory);
}

static const struct {
        const char *source, *head;
} heads[] = {
        { CODE, "#include <stdio.h>\n#include <prelude.h>\n" },
        { "#define __PBOTVM_NO_NAMESPACE_STD\n#if 0\n#include <vector>\n#endif\n\n#include "
          "<prelude.hpp>\nint x;\n",
                "#include <prelude-library.hpp>\n" },
        { "#ifdef __PBOTVM_OWN_FUNCTIONS\n#define pause __pbotvm_hidden_pause\n#endif\n#include "
          "<prelude.hpp>\n#undef pause\n",
                "#include <prelude-library.hpp>\n" },
        { "#define _XOPEN_SOURCE 9001\n#define __USE_XOPEN\n#include <a.h>\n#include <prelude.h>\n",
                "#define _XOPEN_SOURCE 9001\n#define __USE_XOPEN\n#include <a.h>\n#include <prelude.h>\n"
                "#undef __USE_XOPEN\n" },
        { "#include <stdio.h>\n", NULL },
        { "#include \"own.h\"\n#include <prelude.h>\n", NULL },
        { "int x;\n#include <prelude.h>\n", NULL },
        { "#define x \\\n#include <prelude.h>\n", NULL },
        { "#if 0\n#include <prelude.h>\n", NULL },
        { "", NULL },
};

static void test_heads(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(heads); i++) {
                _cleanup_text_ Text source = {}, head = {};

                text_append_string(&source, heads[i].source);
                assert_int_equal(ahead_head(&source, &head), heads[i].head != NULL);
                if (heads[i].head)
                        assert_string_equal(text_string(&head), heads[i].head);
        }
}

/* The options that are given for a command line. */
static void assert_found(const char *cmdline, const char *code, const char *option) {
        _cleanup_words_ Words command = {}, found = {};
        _cleanup_text_ Text source = {};

        text_append_string(&source, code);
        assert_int_equal(words_split(cmdline, SPLIT_DROP_BACKSLASH, &command), 0);
        assert_int_equal(ahead_find(command.items, "prog.c", &source, &found), 0);
        assert_int_equal(found.n, option ? 2 : 0);
        if (option)
                assert_string_equal(found.items[0], option);
}

static void make_list(void) {
        put("list",
                "= c11 prog.c prog cc -g prog.c -std=c11 -pedantic -Wall -lm -o prog\n" HEAD
                "= clang2x prog.c prog clang prog.c -std=c2x -fsanitize=undefined -o prog\n" HEAD
                "= clang11 prog.c prog clang-none prog.c -o prog\n" HEAD,
                0644);
        assert_int_equal(ahead_make_list("list"), 0);
}

static const struct {
        const char *command, *code, *option;
} cases[] = {
        { "cc -g prog.c -std=c11 -pedantic -Wall -lm -o prog", CODE, "-include" },
        /* What changes nothing in a header. */
        { "cc -g prog.c -Wextra -std=c11 -fno-diagnostics-show-caret -pedantic -o other", CODE, "-include" },
        { "clang prog.c -std=c2x -fsanitize=undefined -fcaret-diagnostics", CODE, "-include-pch" },
        { "clang prog.c -std=c23 -fsanitize=undefined", CODE, "-include-pch" },
        /* What may. */
        { "clang prog.c -std=gnu2x -fsanitize=undefined", CODE, NULL },
        { "clang prog.c -std=c2x", CODE, NULL },
        { "clang prog.c -std=c2x -fsanitize=undefined -DX", CODE, NULL },
        { "clang prog.c -std=c2x -fsanitize=undefined -UX", CODE, NULL },
        { "clang prog.c -std=c2x -fsanitize=undefined -O2", CODE, NULL },
        { "clang prog.c -std=c2x -fsanitize=undefined -include x.h", CODE, NULL },
        { "clang prog.c -std=c2x -fsanitize=undefined -Wp,-DX", CODE, NULL },
        { "clang prog.c -std=c2x -fsanitize=undefined -Wpedantic", CODE, NULL },
        { "cc -g prog.c -std=c11 -Wall", CODE, NULL },
        { "gcc -g prog.c -std=c11 -pedantic", CODE, NULL },
        /* Another beginning. */
        { "cc -g prog.c -std=c11 -pedantic", "#include <math.h>\n" CODE, NULL },
        { "cc -g prog.c -std=c11 -pedantic", "#define X\n" CODE, NULL },
        { "cc -g prog.c -std=c11 -pedantic", "int main(void) { }\n", NULL },
};

static void test_for_whom(void **state _unused_) {
        make_list();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_found(cases[i].command, cases[i].code, cases[i].option);
}

static void test_made_anew_when_its_files_change(void **state _unused_) {
        put("count", "", 0644);
        make_list();
        _cleanup_text_ Text count = {};
        assert_int_equal(io_read_file(AT_FDCWD, "count", 65536, &count), 0);
        assert_null(strstr(text_string(&count), "c-header"));
        put("header", "another\n", 0644);
        assert_found(cases[0].command, CODE, NULL);
        make_list();
        assert_found(cases[0].command, CODE, "-include");
        /* Or the compiler does. */
        append_line("cc");
        assert_found(cases[0].command, CODE, NULL);
}

/* Through the driver: what compilers say of it is not heard, what they say of the program is. */
static void test_a_compiler_that_does_not_like_it(void **state _unused_) {
        char *command[] = { (char *)"clang", (char *)"prog.c", (char *)"-std=c2x",
                (char *)"-fsanitize=undefined", NULL };

        make_list();
        put("prog.c", CODE, 0644);
        put("count", "", 0644);
        assert_int_equal(compile_run("prog.c", command), 0);
        put("complain", "", 0644);
        put("count", "", 0644);
        assert_int_equal(compile_run("prog.c", command), 0);
        _cleanup_text_ Text count = {};
        assert_int_equal(io_read_file(AT_FDCWD, "count", 65536, &count), 0);
        assert_non_null(strstr(text_string(&count), "-include-pch /tmp/test-ahead-"));
        assert_non_null(strstr(text_string(&count), "\nprog.c -std=c2x -fsanitize=undefined\n"));
}

static void test_bad_lists(void **state _unused_) {
        static const char *const lists[] = { "", "x\n", "= c11 prog.c prog", "= c11 prog.c\n", "= \n" };

        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                put("list", lists[i], 0644);
                assert_int_equal(ahead_make_list("list"), -EBADMSG);
        }
        assert_int_equal(ahead_make_list("none"), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_heads),
                cmocka_unit_test(test_for_whom),
                cmocka_unit_test(test_made_anew_when_its_files_change),
                cmocka_unit_test(test_a_compiler_that_does_not_like_it),
                cmocka_unit_test(test_bad_lists),
        };

        return cmocka_run_group_tests(tests, enter, leave);
}
