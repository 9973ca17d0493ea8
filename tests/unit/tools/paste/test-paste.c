/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* pbotvm-paste as its callers see it: activated by a private bus, with a server that behaves well or badly.
 */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#include <cmocka.h>

#include "common/io.h"
#include "common/text.h"

#define NAME "org.pbot.VM1.Paste"
#define UPLOADS_MAX 8

extern char **environ;

typedef struct Fixture {
        char dir[64];
        pid_t server, bus_daemon;
        int server_stdin;
        unsigned port;
        sd_bus *bus;
} Fixture;

static void write_file(const Fixture *f, const char *name, const char *content) {
        _cleanup_text_ Text path = {};

        text_append_printf(&path, "%s/%s", f->dir, name);
        FILE *file = fopen(text_string(&path), "we");
        assert_non_null(file);
        assert_true(fputs(content, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static pid_t spawn(char *const argv[], int in, int out) {
        posix_spawn_file_actions_t actions;
        pid_t pid;

        assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
        if (in >= 0)
                assert_int_equal(posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO), 0);
        assert_int_equal(posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO), 0);
        assert_int_equal(posix_spawn(&pid, argv[0], &actions, NULL, argv, environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        return pid;
}

/* Its first line, so that it is ready. */
static void read_line(int fd, char *line, size_t size) {
        size_t n = 0;
        const uint64_t deadline = usec_add(now_monotonic(), 10 * USEC_PER_SEC);

        while (n + 1 < size && io_read(fd, line + n, 1, deadline) == 1 && line[n] != '\n')
                n++;
        line[n] = '\0';
        assert_true(n > 0);
}

static void start_server(Fixture *f) {
        char *argv[] = { getenv("PYTHON"), getenv("PASTE_SERVER"), NULL }, line[32];
        int in[2], out[2];

        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        f->server = spawn(argv, in[0], out[1]);
        f->server_stdin = in[1];
        close(in[0]);
        close(out[1]);
        read_line(out[0], line, sizeof(line));
        close(out[0]);
        f->port = (unsigned)atoi(line);
}

static void start_bus(Fixture *f) {
        _cleanup_text_ Text config = {}, service = {}, config_argument = {};
        char *argv[] = { getenv("DBUS_DAEMON"), NULL, (char *)"--print-address", (char *)"--nofork", NULL };
        char line[256];
        int out[2];

        text_append_printf(&config,
                "<busconfig><type>session</type><listen>unix:path=%s/bus</listen>"
                "<servicedir>%s/services</servicedir>"
                "<policy context='default'><allow send_destination='*' eavesdrop='true'/>"
                "<allow eavesdrop='true'/><allow own='*'/></policy></busconfig>",
                f->dir, f->dir);
        write_file(f, "bus.conf", text_string(&config));
        text_append_printf(&service, "[D-BUS Service]\nName=" NAME "\nExec=%s --timeout=1 --idle=1\n",
                getenv("PASTE_PROGRAM"));
        write_file(f, "services/" NAME ".service", text_string(&service));

        text_append_printf(&config_argument, "--config-file=%s/bus.conf", f->dir);
        argv[1] = config_argument.data;
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        f->bus_daemon = spawn(argv, -1, out[1]);
        close(out[1]);
        read_line(out[0], line, sizeof(line));
        close(out[0]);
        setenv("DBUS_SYSTEM_BUS_ADDRESS", line, 1);
        assert_true(sd_bus_open_system(&f->bus) >= 0);
}

static int set_up(void **state) {
        Fixture *f = calloc(1, sizeof(*f));
        _cleanup_text_ Text text = {};

        assert_non_null(f);
        strcpy(f->dir, "/tmp/test-paste.XXXXXX");
        assert_non_null(mkdtemp(f->dir));

        /* Of the environment that the bus hands on to the service. */
        text_append_printf(&text, "%s/pbotvm.json", f->dir);
        setenv("PBOTVM_CONFIG", text_string(&text), 1);
        text_clear(&text);
        text_append_printf(&text, "unix:path=%s/bus", f->dir);
        setenv("DBUS_SYSTEM_BUS_ADDRESS", text_string(&text), 1);
        setenv("PBOTVM_LOG", "stderr", 1);
        unsetenv("http_proxy");
        unsetenv("HTTP_PROXY");
        unsetenv("all_proxy");
        unsetenv("ALL_PROXY");

        text_clear(&text);
        text_append_printf(&text, "%s/services", f->dir);
        assert_int_equal(mkdir(text_string(&text), 0700), 0);
        start_server(f);
        start_bus(f);
        *state = f;
        return 0;
}

static int tear_down(void **state) {
        Fixture *f = *state;
        static const char *const files[] = { "bus.conf", "bus", "pbotvm.json", "services/" NAME ".service",
                "services" };

        sd_bus_flush_close_unref(f->bus);
        close(f->server_stdin);
        kill(f->bus_daemon, SIGTERM);
        (void)waitpid(f->server, NULL, 0);
        (void)waitpid(f->bus_daemon, NULL, 0);
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_text_ Text path = {};
                text_append_printf(&path, "%s/%s", f->dir, files[i]);
                (void)remove(text_string(&path));
        }
        assert_int_equal(rmdir(f->dir), 0);
        free(f);
        return 0;
}

/* Pasting goes to this path of the server from now on. */
static void configure(const Fixture *f, const char *path) {
        _cleanup_text_ Text config = {};

        text_append_printf(&config, "{ \"paste\": \"http://127.0.0.1:%u/%s\" }", f->port, path);
        write_file(f, "pbotvm.json", text_string(&config));
}

static int call(const Fixture *f, const char *document, sd_bus_error *error, sd_bus_message **ret) {
        return sd_bus_call_method(
                f->bus, NAME, "/org/pbot/VM1/Paste", NAME, "Paste", error, ret, "s", document);
}

static void assert_url(const Fixture *f, const char *document, const char *expected) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *url;

        int r = call(f, document, &error, &reply);
        if (r < 0)
                print_error("%s: %s\n", error.name, error.message);
        assert_true(r >= 0);
        assert_true(sd_bus_message_read(reply, "s", &url) > 0);
        assert_string_equal(url, expected);
}

/* message NULL: any, but one. */
static void assert_error(const Fixture *f, const char *document, const char *name, const char *message) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        assert_true(call(f, document, &error, &reply) < 0);
        assert_string_equal(error.name, name);
        if (message)
                assert_string_equal(error.message, message);
        else
                assert_true(strlen(error.message) > 0);
}

#define FAILED "org.pbot.VM1.Error.PasteFailed"

static void test_url(void **state) {
        configure(*state, "ok");
        assert_url(*state, "12345", "http://127.0.0.1/5");
        assert_url(*state, "", "http://127.0.0.1/0");
}

static void test_document_arrives_whole(void **state) {
        configure(*state, "echo");
        assert_url(*state, "a\r\n--b\n\xE4\xB8\x96 \"%s\" \\ ;", "a\r\n--b\n\xE4\xB8\x96 \"%s\" \\ ;");
}

static void test_long_document(void **state) {
        _cleanup_text_ Text document = {};

        for (unsigned i = 0; i < 200000; i++)
                text_append_string(&document, "0123456789");
        configure(*state, "ok");
        assert_url(*state, text_string(&document), "http://127.0.0.1/2000000");
        for (unsigned i = 0; i < 250000; i++)
                text_append_string(&document, "0123456789");
        assert_error(*state, text_string(&document), FAILED, "the document is too long");
}

static void test_failures(void **state) {
        static const struct {
                const char *path, *message;
        } cases[] = {
                { "error", "500 Internal Server Error" },
                { "nowhere", "404 Not Found" },
                { "moved", "302 Found" },
                { "hang-up", NULL },
                { "huge", "the answer is too long to be a URL" },
                { "endless", "the answer is too long to be a URL" },
                { "empty", "the answer is empty" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                configure(*state, cases[i].path);
                assert_error(*state, "x", FAILED, cases[i].message);
        }
        /* It still works. */
        configure(*state, "ok");
        assert_url(*state, "1", "http://127.0.0.1/1");
}

static void test_answer_is_made_text(void **state) {
        configure(*state, "binary");
        assert_url(*state, "x",
                "a\xEF\xBF\xBD"
                "b");
}

static void test_time_limit(void **state) {
        const uint64_t begin = now_monotonic();

        configure(*state, "slow");
        assert_error(*state, "x", FAILED, "timed out");
        const uint64_t took = now_monotonic() - begin;
        assert_true(took >= 900 * USEC_PER_MSEC && took <= 2500 * USEC_PER_MSEC);
}

static void test_nobody_listens(void **state) {
        write_file(*state, "pbotvm.json", "{ \"paste\": \"http://127.0.0.1:1/\" }");
        assert_error(*state, "x", FAILED, NULL);
}

static void test_off(void **state) {
        write_file(*state, "pbotvm.json", "{ }");
        assert_error(*state, "x", "org.pbot.VM1.Error.PasteOff", "pasting is not configured");
}

static void test_misconfigured(void **state) {
        write_file(*state, "pbotvm.json", "{ \"paste\": ");
        assert_error(*state, "x", "org.pbot.VM1.Error.Misconfigured", NULL);
        write_file(*state, "pbotvm.json", "{ \"paste\": \"file:///etc/passwd\" }");
        assert_error(*state, "x", "org.pbot.VM1.Error.Misconfigured", NULL);
}

static int on_reply(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        unsigned *counts = userdata;

        counts[sd_bus_message_is_method_error(m, "org.pbot.VM1.Error.Busy") ? 1 : 0]++;
        return 0;
}

static void test_uploads_at_once(void **state) {
        Fixture *f = *state;
        unsigned counts[2] = {};

        configure(f, "slow");
        for (unsigned i = 0; i < UPLOADS_MAX + 2; i++)
                assert_true(sd_bus_call_method_async(f->bus, NULL, NAME, "/org/pbot/VM1/Paste", NAME,
                                    "Paste", on_reply, counts, "s", "x") >= 0);
        const uint64_t begin = now_monotonic();
        while (counts[0] + counts[1] < UPLOADS_MAX + 2) {
                int r = sd_bus_process(f->bus, NULL);
                assert_true(r >= 0);
                if (r == 0)
                        assert_true(sd_bus_wait(f->bus, 5 * USEC_PER_SEC) >= 0);
                assert_true(now_monotonic() - begin < 5 * USEC_PER_SEC);
        }
        assert_int_equal(counts[0], UPLOADS_MAX);
        assert_int_equal(counts[1], 2);
        /* All at once, or they would take a second each. */
        assert_true(now_monotonic() - begin < 3 * USEC_PER_SEC);
}

static bool is_running(const Fixture *f) {
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;

        return sd_bus_get_name_creds(f->bus, NAME, 0, &creds) >= 0;
}

static void test_ends_when_idle(void **state) {
        const Fixture *f = *state;

        configure(f, "ok");
        assert_url(f, "1", "http://127.0.0.1/1");
        assert_true(is_running(f));
        for (unsigned i = 0; i < 100 && is_running(f); i++)
                usleep(50 * 1000);
        assert_false(is_running(f));
        assert_url(f, "1", "http://127.0.0.1/1");
}

static int on_stopped(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        sd_bus_error_copy(userdata, sd_bus_message_get_error(m));
        return 0;
}

/* One that runs by itself, when the one that the bus has started is gone. */
static pid_t start_service(const Fixture *f) {
        char *argv[] = { getenv("PASTE_PROGRAM"), (char *)"--idle=60", NULL };
        const uint64_t deadline = usec_add(now_monotonic(), 10 * USEC_PER_SEC);

        while (is_running(f) && now_monotonic() < deadline)
                usleep(50 * 1000);
        pid_t pid = spawn(argv, -1, STDERR_FILENO);
        while (!is_running(f) && now_monotonic() < deadline)
                usleep(10 * 1000);
        assert_true(is_running(f));
        return pid;
}

/* Whoever waits when it is stopped is told so. */
static void test_stopped(void **state) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const Fixture *f = *state;
        pid_t pid = start_service(f);
        int status, r;

        configure(f, "slow");
        assert_true(sd_bus_call_method_async(f->bus, NULL, NAME, "/org/pbot/VM1/Paste", NAME, "Paste",
                            on_stopped, &error, "s", "x") >= 0);
        /* It has it when it answers what came later. */
        assert_true(sd_bus_call_method(
                            f->bus, NAME, "/", "org.freedesktop.DBus.Peer", "Ping", NULL, NULL, NULL) >= 0);
        assert_int_equal(kill(pid, SIGTERM), 0);
        while (!error.name) {
                r = sd_bus_process(f->bus, NULL);
                assert_true(r >= 0);
                if (r == 0)
                        assert_true(sd_bus_wait(f->bus, 5 * USEC_PER_SEC) > 0);
        }
        assert_string_equal(error.name, FAILED);
        assert_string_equal(error.message, "the paste service is stopping");
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* It ends, as systemd has to know, with a line that says why. The bus is gone afterwards. */
static void test_bus_lost(void **state) {
        const Fixture *f = *state;
        pid_t pid = start_service(f);
        int status;

        assert_int_equal(kill(f->bus_daemon, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_url),
                cmocka_unit_test(test_document_arrives_whole),
                cmocka_unit_test(test_long_document),
                cmocka_unit_test(test_failures),
                cmocka_unit_test(test_answer_is_made_text),
                cmocka_unit_test(test_time_limit),
                cmocka_unit_test(test_nobody_listens),
                cmocka_unit_test(test_off),
                cmocka_unit_test(test_misconfigured),
                cmocka_unit_test(test_uploads_at_once),
                cmocka_unit_test(test_ends_when_idle),
                cmocka_unit_test(test_stopped),
                cmocka_unit_test(test_bus_lost),
        };
        return cmocka_run_group_tests(tests, set_up, tear_down);
}
