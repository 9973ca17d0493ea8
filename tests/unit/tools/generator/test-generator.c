/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The program, run as systemd runs it, on files of its own. */

#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/io.h"

extern char **environ;

static char folder[64];

static void path_in(Text *path, const char *prefix, const char *name) {
        text_append_printf(path, "%s%s/%s", prefix, folder, name);
        assert_false(text_failed(path));
}

static void write_file(const char *name, const char *content) {
        _cleanup_text_ Text path = {};

        path_in(&path, "", name);
        if (!content) {
                (void)unlink(text_string(&path));
                return;
        }
        FILE *file = fopen(text_string(&path), "we");
        assert_non_null(file);
        assert_true(fputs(content, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

/* What it wrote is removed again. */
static void read_drop_in(Text *drop_in) {
        _cleanup_text_ Text path = {};

        path_in(&path, "", "out/pbotvm.socket.d/50-pbotvm.conf");
        int r = io_read_file(AT_FDCWD, text_string(&path), 1 << 16, drop_in);
        if (r < 0)
                assert_int_equal(r, -ENOENT);
        (void)unlink(text_string(&path));
        text_clear(&path);
        path_in(&path, "", "out/pbotvm.socket.d");
        (void)rmdir(text_string(&path));
}

static int run(Text *errors) {
        _cleanup_text_ Text config = {}, environment = {}, out = {}, error_file = {};
        posix_spawn_file_actions_t actions;
        pid_t pid;
        int status;

        path_in(&config, "--config=", "pbotvm.json");
        path_in(&environment, "--environment=", "default");
        path_in(&out, "", "out");
        path_in(&error_file, "", "errors");
        char *argv[] = { getenv("GENERATOR"), config.data, environment.data, out.data, out.data, out.data,
                NULL };

        assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
        assert_int_equal(posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, text_string(&error_file),
                                 O_WRONLY | O_CREAT | O_TRUNC, 0600),
                0);
        assert_int_equal(posix_spawn(&pid, argv[0], &actions, NULL, argv, environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(io_read_file(AT_FDCWD, text_string(&error_file), 1 << 16, errors), 0);
        return WEXITSTATUS(status);
}

#define HEAD                                                                                                \
        "# Made by pbotvm-generator from the configuration of "                                             \
        "pbotvm.\n[Socket]\nListenStream=\nListenStream="
#define MACHINES "\"machines\": { \"m\": {} }, \"default-machine\": \"m\""

static const struct {
        const char *config, *environment, *drop_in;
} cases[] = {
        { NULL, NULL, "" },
        { "{ " MACHINES " }", "# PBOTVM_PORT=1\n", "" },
        { NULL, "PBOTVM_PORT=9000\nPBOTVM_ADDR=127.0.0.1\n", "" },
        { NULL, "PBOTVM_PORT=9001\n", HEAD "127.0.0.1:9001\n" },
        { NULL, "PBOTVM_SERVER=9002\n", HEAD "127.0.0.1:9002\n" },
        { NULL, "PBOTVM_ADDR=\"::1\"\n", HEAD "[::1]:9000\n" },
        { NULL, "PBOTVM_ADDR=192.0.2.1\n",
                HEAD "192.0.2.1:9000\nFreeBind=yes\nMaxConnectionsPerSource=96\n" },
        { "{ " MACHINES ", \"listeners\": { \"127.0.0.1:9000\": \"m\" } }", NULL, "" },
        { "{ " MACHINES ", \"listeners\": { \"127.0.0.1:9001\": \"m\", \"[::1]:9002\": \"m\" } }", NULL,
                HEAD "127.0.0.1:9001\nListenStream=[::1]:9002\n" },
        { "{ " MACHINES ", \"listeners\": { \"127.0.0.1:9001\": \"m\" } }", "PBOTVM_PORT=9001\n",
                HEAD "127.0.0.1:9001\n" },
        { "{ " MACHINES ", \"listeners\": { \"127.0.0.1:9001\": \"m\" } }", "PBOTVM_PORT=9000\n",
                HEAD "127.0.0.1:9000\nListenStream=127.0.0.1:9001\n" },
        { "{ " MACHINES ", \"listeners\": { \"[::]:9000\": \"m\", \"127.0.0.1:9000\": \"m\" } }", NULL,
                HEAD "[::]:9000\nListenStream=127.0.0.1:9000\nBindIPv6Only=ipv6-only\n" },
        { "{ " MACHINES
          ", \"listeners\": { \"127.0.0.1:9001\": \"m\", \"0.0.0.0:9001\": \"m\", \"[::]:9002\": \"m\", "
          "\"[::1]:9002\": \"m\", \"[::1]:9003\": \"m\" } }",
                NULL, HEAD "0.0.0.0:9001\nListenStream=[::]:9002\nListenStream=[::1]:9003\n" },
        { "{ " MACHINES ", \"listeners\": { \"/run/pbotvm/pbot\": \"m\" } }", NULL,
                HEAD "/run/pbotvm/pbot\nSocketMode=0600\nRemoveOnStop=yes\nMaxConnectionsPerSource=96\n" },
        { "{ " MACHINES ", \"listeners\": { \"/run/a\": { \"machine\": \"m\", \"mode\": \"0660\", "
          "\"group\": \"irc\" }, \"127.0.0.1:9000\": \"m\" } }",
                NULL,
                HEAD "/run/a\nListenStream=127.0.0.1:9000\nSocketMode=0660\nRemoveOnStop=yes\n"
                     "SocketGroup=irc\n" },
        { "{ " MACHINES ", \"listeners\": { \"/run/a\": \"m\" } }", "PBOTVM_ADDR=/run/a\n",
                HEAD "/run/a\nSocketMode=0600\nRemoveOnStop=yes\nMaxConnectionsPerSource=96\n" },
};

static void test_drop_ins(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text errors = {}, drop_in = {};

                write_file("pbotvm.json", cases[i].config);
                write_file("default", cases[i].environment);
                int r = run(&errors);
                assert_string_equal(text_string(&errors), "");
                assert_int_equal(r, 0);
                read_drop_in(&drop_in);
                assert_string_equal(text_string(&drop_in), cases[i].drop_in);
        }
}

static const struct {
        const char *config, *environment, *says; /* part of the message */
} mistakes[] = {
        { "{ \"listeners\": ", NULL, "pbotvm.json:1" },
        { "{ " MACHINES ",\n\"listeners\": { \"nowhere\": \"m\" } }", NULL, "pbotvm.json:2" },
        { NULL, "PBOTVM_PORT=x\n", "PBOTVM_PORT" },
};

/* Then the unit listens where it does by itself, and the log says why. */
static void test_mistakes(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(mistakes); i++) {
                _cleanup_text_ Text errors = {}, drop_in = {};

                write_file("pbotvm.json", mistakes[i].config);
                write_file("default", mistakes[i].environment);
                assert_int_equal(run(&errors), 1);
                assert_non_null(strstr(text_string(&errors), "pbotvm-generator: "));
                assert_non_null(strstr(text_string(&errors), mistakes[i].says));
                read_drop_in(&drop_in);
                assert_string_equal(text_string(&drop_in), "");
        }
}

/* A line that sets nothing does not keep the others from counting. */
static void test_mistake_in_a_line(_unused_ void **state) {
        _cleanup_text_ Text errors = {}, drop_in = {};

        write_file("pbotvm.json", NULL);
        write_file("default", "oops\nPBOTVM_PORT=9001\n");
        assert_int_equal(run(&errors), 0);
        assert_non_null(strstr(text_string(&errors), "default:1: expected NAME=value"));
        read_drop_in(&drop_in);
        assert_string_equal(text_string(&drop_in), HEAD "127.0.0.1:9001\n");
}

static int set_up(_unused_ void **state) {
        _cleanup_text_ Text out = {};

        strcpy(folder, "/tmp/test-generator.XXXXXX");
        assert_non_null(mkdtemp(folder));
        path_in(&out, "", "out");
        assert_int_equal(mkdir(text_string(&out), 0700), 0);
        setenv("PBOTVM_LOG", "stderr", 1);
        return 0;
}

static int tear_down(_unused_ void **state) {
        static const char *const names[] = { "out", "pbotvm.json", "default", "errors", "" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_text_ Text path = {};
                path_in(&path, "", names[i]);
                (void)remove(text_string(&path));
        }
        return access(folder, F_OK) < 0 ? 0 : -1;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_drop_ins),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_mistake_in_a_line),
        };
        return cmocka_run_group_tests(tests, set_up, tear_down);
}
