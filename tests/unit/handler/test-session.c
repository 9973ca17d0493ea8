/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection from its line to its answer, with a watchdog, a guest and every way in which they fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/io.h"
#include "common/log.h"
#include "fake-watchdog.h"
#include "handler/session.h"

#define OK_REPLY                                                                                            \
        "result:{\"result\":\"hello\\n\",\"pbotvm\":{\"id\":\"%ID%\",\"exit_status\":0}}\nresult:end\n"

static char the_dir[40];

static int make_dir(void **state) {
        (void)state;
        strcpy(the_dir, "/tmp/test-session-XXXXXX");
        return mkdtemp(the_dir) ? 0 : -1;
}

static int remove_dir(void **state) {
        char command[80];

        (void)state;
        snprintf(command, sizeof(command), "rm -rf %s", the_dir);
        return system(command);
}

static const char *config_file(const char *content) {
        static char path[80];
        FILE *f;

        snprintf(path, sizeof(path), "%s/pbotvm.json", the_dir);
        f = fopen(path, "w");
        assert_non_null(f);
        fputs(content, f);
        fclose(f);
        return path;
}

typedef struct Client {
        int fd;
        const char *line;
        int sent; /* the result of sending it */
        Text answer;
} Client;

static void *client_main(void *userdata) {
        Client *c = userdata;
        char buffer[4096];
        ssize_t n;

        c->sent = io_write(c->fd, c->line, strlen(c->line), USEC_INFINITY);
        shutdown(c->fd, SHUT_WR);
        while ((n = io_read(c->fd, buffer, sizeof(buffer), USEC_INFINITY)) > 0)
                text_append(&c->answer, buffer, (size_t)n);
        return NULL;
}

/* A client's end and the handler's, over TCP: a unix socket would not be reset by what is left unread. */
static void connect_pair(int pair[2]) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_return_code(bind(listener, (struct sockaddr *)&address, size), errno);
        assert_return_code(listen(listener, 1), errno);
        assert_return_code(getsockname(listener, (struct sockaddr *)&address, &size), errno);
        pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_return_code(connect(pair[1], (struct sockaddr *)&address, size), errno);
        pair[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(pair[0] >= 0);
        close(listener);
}

/* The same by a unix socket at path. */
static void connect_pair_unix(const char *path, int pair[2]) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        (void)unlink(path);
        assert_return_code(bind(listener, (struct sockaddr *)&address, sizeof(address)), errno);
        assert_return_code(listen(listener, 1), errno);
        pair[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_return_code(connect(pair[1], (struct sockaddr *)&address, sizeof(address)), errno);
        pair[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(pair[0] >= 0);
        close(listener);
}

/* Serves one line, that comes over pair, and gives the answer. */
static Text serve_over(int pair[2], const char *line, const char *config) {
        static const char *const dirs[] = { "/nonexistent", NULL };
        const SessionOptions options = { .config_file = config_file(config),
                .language_dirs = dirs,
                .rewrites_dir = "/nonexistent",
                .state_dir = the_dir };
        Client client = { .line = line };
        pthread_t thread;

        client.fd = pair[1];
        assert_int_equal(pthread_create(&thread, NULL, client_main, &client), 0);
        assert_int_equal(session_run(pair[0], &options, NULL, now_monotonic()), 0);
        pthread_join(thread, NULL);
        close(pair[1]);
        /* A client that cannot send all of its line may die of it before it reads the answer. */
        assert_int_equal(client.sent, 0);
        return client.answer;
}

static Text serve_with(const char *line, const char *config) {
        int pair[2];

        connect_pair(pair);
        return serve_over(pair, line, config);
}

static Text serve(const char *line) {
        return serve_with(line, "{\"wait\": 2}");
}

/* Serves a line with a watchdog that goes through steps; checks the answer, and what the watchdog saw. */
static void check(const char *line, const FakeStep *steps, size_t n, const char *answer, const char *seen) {
        FakeWatchdog w;

        fake_watchdog_start(&w, steps, n);
        _cleanup_text_ Text got = serve(line);
        fake_watchdog_stop(&w);
        assert_string_equal(text_string(&got), answer);
        assert_string_equal(text_string(&w.seen), seen);
        text_done(&w.seen);
        text_done(&w.requests);
}

#define LEASE "lease main 1 - - sh\n"

static void test_hello(void **state) {
        (void)state;
        const FakeStep steps[] = { { .reply = OK_REPLY } };
        check("echo hello\n", steps, 1, "hello\n", LEASE "release lease-1 clean\n");
}

static void test_without_a_guest(void **state) {
        (void)state;
        const FakeStep steps[] = { {} };
        check("answer\n", steps, 1, "answered\n", "");
        check("[1]\n", steps, 1, "Not an object.\n", "");
        check("misconfigured\n", steps, 1, "Virtual machine service is misconfigured; see its log.\n", "");
        check("{\"vm\": \"x\"}\n", steps, 1, "Unknown machine 'x'\n", "");
}

static void test_no_line_no_answer(void **state) {
        (void)state;
        const FakeStep steps[] = { {} };
        check("", steps, 1, "", "");
        check("\n\n", steps, 1, "", "");
}

/* Each error of the watchdog and its text. */
static void test_refusals(void **state) {
        (void)state;
        static const struct {
                const char *error, *answer;
        } cases[] = {
                { "Offline", "Virtual machine is offline.\n" },
                { "Resetting", "Virtual machine is resetting, try again soon.\n" },
                { "Busy", "Virtual machine is busy, try again soon.\n" },
                { "Refused", "Only on weekdays.\n" },
                { "TooManyReverts", "Only on weekdays.\n" },
                { "NoSuchMachine", "Virtual machine service is misconfigured; see its log.\n" },
                { "org.freedesktop.DBus.Error.ServiceUnknown", "Virtual machine service is not running.\n" },
                { "org.freedesktop.DBus.Error.AccessDenied", "Only on weekdays.\n" },
                /* The bus's, or the gate's: too many calls at once. */
                { "org.freedesktop.DBus.Error.LimitsExceeded",
                        "Virtual machine is busy, try again soon.\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const FakeStep steps[] = { { .error = cases[i].error, .message = "Only on weekdays." } };
                check("echo\n", steps, 1, cases[i].answer, LEASE);
        }
}

static void test_no_bus(void **state) {
        (void)state;
        setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", true);
        _cleanup_text_ Text got = serve("echo\n"), show = serve("answer\n");
        assert_string_equal(text_string(&got), "Virtual machine service is not running.\n");
        assert_string_equal(text_string(&show), "answered\n");
        unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}

#define ABSENT "org.freedesktop.DBus.Error.NameHasNoOwner"
#define GONE "org.freedesktop.DBus.Error.NoReply"

/* A watchdog that is not on the bus is waited for, if systemd is about to bring it there. That it is
 * stopped, or cannot be asked after, is said at once. */
static void test_watchdog_is_absent(void **state) {
        (void)state;
        static const struct {
                const char *state;
                unsigned job;
                bool comes;
                uint64_t wait_msec; /* until the answer */
        } cases[] = {
                { NULL, 0, false, 0 },
                { "inactive", 0, false, 0 },
                { "failed", 0, false, 0 },
                { "inactive", 7, true, 0 },
                { "failed", 7, true, 0 },
                { "activating", 0, true, 0 },
                { "active", 0, true, 0 },
                { "reloading", 0, true, 0 },
                { "deactivating", 0, true, 0 },
                { "activating", 0, false, 2000 },
                { "inactive", 7, false, 2000 },
        };
        const FakeStep steps[] = { { .error = ABSENT }, { .reply = OK_REPLY } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                bool comes = cases[i].comes;
                FakeWatchdog w;

                fake_watchdog_start(&w, steps, 2);
                w.unit_state = cases[i].state;
                w.unit_job = cases[i].job;
                w.unit_comes = comes;
                uint64_t began = now_monotonic();
                _cleanup_text_ Text got = serve("echo\n");
                uint64_t msec = (now_monotonic() - began) / USEC_PER_MSEC;
                fake_watchdog_stop(&w);
                assert_string_equal(
                        text_string(&got), comes ? "hello\n" : "Virtual machine service is not running.\n");
                assert_string_equal(
                        text_string(&w.seen), comes ? LEASE LEASE "release lease-2 clean\n" : LEASE);
                assert_in_range(msec, cases[i].wait_msec, cases[i].wait_msec + 1800);
                text_done(&w.seen);
                text_done(&w.requests);
        }
}

/* One that goes away while one waits is asked again; where there is no systemd it is waited for as well. */
static void test_watchdog_restarts(void **state) {
        (void)state;
        const FakeStep steps[] = { { .error = GONE }, { .reply = OK_REPLY } };
        check("echo\n", steps, 2, "hello\n", LEASE LEASE "release lease-2 clean\n");

        const FakeStep gone[] = { { .error = GONE }, { .error = ABSENT } };
        uint64_t began = now_monotonic();
        check("echo\n", gone, 2, "Virtual machine service is not running.\n", LEASE LEASE);
        assert_true(now_monotonic() - began >= 2 * USEC_PER_SEC);
}

static void test_dead_channels_are_asked_again(void **state) {
        (void)state;
        const FakeStep steps[] = { { .dead = true }, { .reply = OK_REPLY } };
        check("echo\n", steps, 2, "hello\n",
                LEASE "release lease-1 unsent\n" LEASE "release lease-2 clean\n");

        const FakeStep never[] = { { .dead = true } };
        check("echo\n", never, 1, "Virtual machine is resetting, try again soon.\n",
                LEASE "release lease-1 unsent\n" LEASE "release lease-2 unsent\n" LEASE
                      "release lease-3 unsent\n");
}

/* What the guest does, what the client is told and how the lease ends. */
static void test_guests(void **state) {
        (void)state;
        static const struct {
                FakeStep step;
                const char *answer, *outcome;
        } cases[] = {
                { { .silent = true, .timeout_usec = 100000 }, "[Timed-out]\n", "timed-out" },
                { { .reply = NULL }, "Virtual machine was lost while running this; it is being reset.\n",
                        "lost" },
                { { .reply = "result:{\nresult:end\n" },
                        "Virtual machine gave no valid answer; it is being reset.\n", "protocol-error" },
                { { .reply = "result:{\"result\":\"x\",\"pbotvm\":{\"id\":\"other\"}}\nresult:end\n" },
                        "Virtual machine gave no valid answer; it is being reset.\n", "protocol-error" },
                { { .reply = "result:{\"result\":\"x "
                             "[Timed-out]\",\"pbotvm\":{\"id\":\"%ID%\",\"timed_out\":true}}\n"
                             "result:end\n" },
                        "x [Timed-out]\n", "timed-out" },
                { { .reply = "result:{\"result\":\"x [Killed]\"}\nresult:end\n", .guest = "pbot-2023" },
                        "x [Killed]\n", "killed" },
                { { .reply = "result:{\"result\":\"x\"}\nresult:end\n", .guest = "pbot-2026" }, "x\n",
                        "clean" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char seen[120];
                snprintf(seen, sizeof(seen), LEASE "release lease-1 %s\n", cases[i].outcome);
                check("echo\n", &cases[i].step, 1, cases[i].answer, seen);
        }
}

/* Our members go to our agent, and to one that is not known yet; not to PBot's. */
static void test_request_members(void **state) {
        (void)state;
        static const struct {
                const char *guest;
                bool ours;
        } cases[] = { { "pbotvm", true }, { "", true }, { "pbot-2023", false }, { "pbot-2026", false } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const FakeStep steps[] = { { .reply = "result:{}\nresult:end\n",
                        .guest = cases[i].guest,
                        .timeout_usec = 4 * USEC_PER_SEC } };
                FakeWatchdog w;

                fake_watchdog_start(&w, steps, 1);
                _cleanup_text_ Text got = serve("echo\n");
                fake_watchdog_stop(&w);
                assert_string_not_equal(text_string(&got), "");
                const char *request = text_string(&w.requests);
                assert_true(!strstr(request, "\"pbotvm\":{") == !cases[i].ours);
                if (cases[i].ours) {
                        assert_non_null(strstr(request, "\"generation\":7"));
                        assert_non_null(strstr(request, "\"wall_usec\":3500000"));
                        assert_non_null(strstr(request, "\"entropy\":\""));
                }
                assert_true(!strstr(request, "\n:end:\n") == !streq(cases[i].guest, "pbot-2023"));
                text_done(&w.seen);
                text_done(&w.requests);
        }
}

static void test_paste(void **state) {
        (void)state;
        const FakeStep steps[] = { { .reply = OK_REPLY } };
        FakeWatchdog w;

        check("paste\n", steps, 1, "http://paste/1\n", LEASE "release lease-1 clean\npaste hello\n\n\n");
        fake_watchdog_start(&w, steps, 1);
        w.paste_error = "500 No";
        _cleanup_text_ Text got = serve("paste\n");
        fake_watchdog_stop(&w);
        assert_string_equal(text_string(&got), "error pasting: 500 No\n");
        text_done(&w.seen);
        text_done(&w.requests);
}

/* What came from the network is one clean line, or is said to be none. */
static void test_paste_answers_anything(void **state) {
        static const struct {
                const char *url, *error, *wanted;
        } cases[] = {
                { " https://p.example/a\r\nsecond line\n", NULL, "https://p.example/a\n" },
                { "http://p.example/\xc3\xa9", NULL, "http://p.example/\xc3\xa9\n" },
                { "https://p/\a\033[1m", NULL, "https://p/*" },
                { "ok: https://p.example/a", NULL, "error pasting: the paste service gave no URL\n" },
                { "https://p.example/a b", NULL, "error pasting: the paste service gave no URL\n" },
                { "https://p.example/\002a", NULL, "error pasting: the paste service gave no URL\n" },
                { "javascript:x", NULL, "error pasting: the paste service gave no URL\n" },
                { "https://", NULL, "error pasting: the paste service gave no URL\n" },
                /* systemd 262 escapes what an error of the bus says, before it comes to us. */
                { NULL, "500 No\033[1m\r\nQUIT :bye", "error pasting: 500 No" },
        };
        const FakeStep steps[] = { { .reply = OK_REPLY } };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                FakeWatchdog w;
                fake_watchdog_start(&w, steps, 1);
                w.paste_url = cases[i].url;
                w.paste_error = cases[i].error;
                _cleanup_text_ Text got = serve("paste\n");
                fake_watchdog_stop(&w);
                if (!startswith(text_string(&got), cases[i].wanted))
                        fail_msg("%zu: got %s", i, text_string(&got));
                assert_ptr_equal(strchr(text_string(&got), '\n'), got.data + got.size - 1);
                assert_null(strpbrk(text_string(&got), "\a\033\r"));
                text_done(&w.seen);
                text_done(&w.requests);
        }
}

static void test_paste_answers_much(void **state) {
        const FakeStep steps[] = { { .reply = OK_REPLY } };
        _cleanup_text_ Text url = {};
        FakeWatchdog w;

        (void)state;
        text_append_string(&url, "https://p/");
        while (url.size < 10000)
                text_append_string(&url, "\xc3\xa9");
        for (int error = 0; error < 2; error++) {
                fake_watchdog_start(&w, steps, 1);
                w.paste_url = text_string(&url);
                w.paste_error = error ? text_string(&url) : NULL;
                _cleanup_text_ Text got = serve("paste\n");
                fake_watchdog_stop(&w);
                assert_non_null(startswith(text_string(&got), "error pasting: "));
                assert_true(got.size < 512);
                text_done(&w.seen);
                text_done(&w.requests);
        }
}

/* A unix socket's listener is found by its path, and what a request says of its machine counts if it may. */
static void test_a_listeners_machine(void **state) {
        static const struct {
                const char *listener, *line, *machine;
        } cases[] = {
                { "\"b\"", "{\"code\":\"echo\"}\n", "b" },
                { "\"b\"", "{\"code\":\"echo\",\"vm\":\"c\"}\n", "c" },
                { "{\"machine\":\"b\",\"fixed\":true}", "{\"code\":\"echo\"}\n", "b" },
                { "{\"machine\":\"b\",\"fixed\":true}", "{\"code\":\"echo\",\"vm\":\"c\"}\n", "b" },
        };
        const FakeStep steps[] = { { .reply = OK_REPLY } };
        char path[80];

        (void)state;
        snprintf(path, sizeof(path), "%s/listener", the_dir);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text config = {}, wanted = {};
                FakeWatchdog w;
                int pair[2];

                text_append_printf(&config,
                        "{\"machines\": {\"a\": {}, \"b\": {}, \"c\": {}}, \"default-machine\": \"a\", "
                        "\"listeners\": {\"%s\": %s}}",
                        path, cases[i].listener);
                fake_watchdog_start(&w, steps, 1);
                connect_pair_unix(path, pair);
                _cleanup_text_ Text got = serve_over(pair, cases[i].line, text_string(&config));
                fake_watchdog_stop(&w);
                assert_string_equal(text_string(&got), "hello\n");
                text_append_printf(&wanted, "lease %s ", cases[i].machine);
                assert_non_null(startswith(text_string(&w.seen), text_string(&wanted)));
                text_done(&w.seen);
                text_done(&w.requests);
        }
}

/* A bus that takes the connection and never says a word. */
static void test_a_bus_that_hangs(void **state) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char variable[120];
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void)state;
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/hanging-bus", the_dir);
        snprintf(variable, sizeof(variable), "unix:path=%s/hanging-bus", the_dir);
        assert_return_code(bind(listener, (struct sockaddr *)&address, sizeof(address)), errno);
        assert_return_code(listen(listener, 8), errno);
        setenv("DBUS_SYSTEM_BUS_ADDRESS", variable, true);

        uint64_t began = now_monotonic();
        _cleanup_text_ Text got = serve_with("echo\n", "{\"wait\": 0}");
        assert_string_equal(text_string(&got), "Virtual machine service is not running.\n");
        assert_true(now_monotonic() - began < 12 * USEC_PER_SEC);
        unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
        close(listener);
}

static void test_wrong_configuration(void **state) {
        (void)state;
        _cleanup_text_ Text got = serve_with("echo\n", "{\"wait\": \"x\"}");
        assert_string_equal(text_string(&got), "Virtual machine service is misconfigured; see its log.\n");
}

static void test_too_long(void **state) {
        (void)state;
        _cleanup_text_ Text line = {};

        for (size_t i = 0; i < 2000000; i++)
                text_append_string(&line, "0123456789");
        text_append_char(&line, '\n');
        _cleanup_text_ Text got = serve(text_string(&line));
        assert_string_equal(text_string(&got), "Request is too long.\n");
}

/* What a job left by its key goes in with the next request, and is kept only after a clean end. */
static void test_storage(void **state) {
        (void)state;
        static const char line[] = "{\"code\": \"x\", \"persist-key\": \"k\"}\n";
        static const struct {
                const char *reply;
                const char *sent; /* in the request, base64 */
                const char *answer;
        } cases[] = {
                { "result:{\"result\":\"1\",\"pbotvm\":{\"id\":\"%ID%\",\"storage\":\"b25l\"}}\nresult:"
                  "end\n",
                        "\"storage\":\"\"", "1\n" },
                { "result:{\"result\":\"2\",\"pbotvm\":{\"id\":\"%ID%\",\"storage\":\"dHdv\","
                  "\"timed_out\":true}}\nresult:end\n",
                        "\"storage\":\"b25l\"", "2\n" },
                { "result:{\"result\":\"3\",\"pbotvm\":{\"id\":\"%ID%\",\"storage\":\"MTIzNDU2Nzg5MDEyMw=="
                  "\"}}\n"
                  "result:end\n",
                        "\"storage\":\"b25l\"", "3 [Storage not kept: too large]\n" },
                { "result:{\"result\":\"4\",\"pbotvm\":{\"id\":\"%ID%\"}}\nresult:end\n",
                        "\"storage\":\"b25l\"", "4\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const FakeStep steps[] = { { .reply = cases[i].reply } };
                FakeWatchdog w;

                fake_watchdog_start(&w, steps, 1);
                _cleanup_text_ Text got =
                        serve_with(line, "{\"wait\": 2, \"storage\": {\"key-bytes\": 12}}");
                fake_watchdog_stop(&w);
                assert_string_equal(text_string(&got), cases[i].answer);
                if (!strstr(text_string(&w.requests), cases[i].sent))
                        fail_msg("case %zu: %s", i, text_string(&w.requests));
                text_done(&w.seen);
                text_done(&w.requests);
        }
}

/* What would take too long through a serial line is refused in words, and the guest is given back unused. */
static void test_storage_on_a_serial_line(void **state) {
        (void)state;
        char path[100];
        const FakeStep steps[] = {
                { .reply = OK_REPLY, .transport = "serial", .timeout_usec = 3 * USEC_PER_SEC }
        };
        _cleanup_free_ char *content = calloc(1, 40000);

        snprintf(path, sizeof(path), "%s/storage/big.tar", the_dir);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fwrite(content, 1, 40000, f);
        fclose(f);
        check("{\"code\": \"x\", \"persist-key\": \"big\"}\n", steps, 1,
                "What is kept by this key is too large for the machine's serial line.\n",
                LEASE "release lease-1 clean\n");
}

/* The guest sets its clock by the date: it is that of the sending, not of the waiting. */
static void test_date_is_that_of_the_sending(void **state) {
        (void)state;
        const FakeStep steps[] = { { .delay_msec = 1100, .reply = OK_REPLY } };
        FakeWatchdog w;
        uint64_t began = now_realtime() / USEC_PER_SEC;

        fake_watchdog_start(&w, steps, 1);
        _cleanup_text_ Text got = serve("echo\n");
        fake_watchdog_stop(&w);
        assert_string_equal(text_string(&got), "hello\n");
        const char *date = strstr(text_string(&w.requests), "\"date\":");
        assert_non_null(date);
        assert_true(strtoull(date + strlen("\"date\":"), NULL, 10) > began);
        text_done(&w.seen);
        text_done(&w.requests);
}

/* What a job took stands at the end of the answer if the operator wants it, and only where it has a place.
 */
static void test_usage_is_shown(void **state) {
        (void)state;
#define TOOK "\"wall_usec\":1290000,\"cpu_usec\":1,\"max_rss_bytes\":36700159"
#define REPLY(result, ours) "result:{\"result\":\"" result "\"" ours "}\nresult:end\n"
#define OURS(members) ",\"pbotvm\":{\"id\":\"%ID%\"," members "}"
        static const struct {
                const char *line, *reply, *answer;
        } cases[] = {
                { "echo\n", REPLY("hello\\n", OURS(TOOK)), "hello [1.2 s, 34 MiB]\n" },
                { "echo\n", REPLY("a\\nb\\n", OURS(TOOK)), "a\nb [1.2 s, 34 MiB]\n" },
                { "echo\n", REPLY("x\\n", OURS("\"wall_usec\":999999,\"max_rss_bytes\":1048575")),
                        "x [999 ms, 1023 KiB]\n" },
                { "echo\n", REPLY("x\\n", OURS("\"wall_usec\":0")), "x [0 ms]\n" },
                { "echo\n", REPLY(" \\n", OURS(TOOK)), "\n" },
                { "echo\n", REPLY("", OURS(TOOK)), "\n" },
                { "{\"code\":\"echo\",\"factoid\":\"f\"}\n", REPLY("hello\\n", OURS(TOOK)), "hello\n" },
                { "paste\n", REPLY("hello\\n", OURS(TOOK)), "http://paste/1\n" },
                { "answer\n", NULL, "answered\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (int wanted = 0; wanted < 2; wanted++) {
                        const FakeStep steps[] = { { .reply = cases[i].reply } };
                        FakeWatchdog w;

                        fake_watchdog_start(&w, steps, 1);
                        _cleanup_text_ Text got =
                                serve_with(cases[i].line, wanted ? "{\"show-usage\": true}" : "{}");
                        fake_watchdog_stop(&w);
                        if (wanted)
                                assert_string_equal(text_string(&got), cases[i].answer);
                        else
                                assert_null(strchr(text_string(&got), '['));
                        text_done(&w.seen);
                        text_done(&w.requests);
                }

        /* PBot's agent does not tell. */
        const FakeStep steps[] = { { .reply = REPLY("hello\\n", ""), .guest = "pbot-2023" } };
        FakeWatchdog w;
        fake_watchdog_start(&w, steps, 1);
        _cleanup_text_ Text got = serve_with("echo\n", "{\"show-usage\": true}");
        fake_watchdog_stop(&w);
        assert_string_equal(text_string(&got), "hello\n");
        text_done(&w.seen);
        text_done(&w.requests);
}

static void *close_later(void *userdata) {
        usleep(200000);
        close(*(int *)userdata);
        return NULL;
}

/* A client whose connection is reset while it waits is not waited for. It may have been granted its lease by
 * then: the watchdog hears that nothing was done with it. */
static void test_client_leaves_the_queue(void **state) {
        (void)state;
        const FakeStep steps[] = { { .waits = true } };
        const SessionOptions options = { .config_file = config_file("{}"), .state_dir = the_dir };
        FakeWatchdog w;
        pthread_t closer;
        int pair[2];

        fake_watchdog_start(&w, steps, 1);
        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), errno);
        assert_int_equal(io_write(pair[1], "echo\n", 5, USEC_INFINITY), 0);
        assert_int_equal(pthread_create(&closer, NULL, close_later, &pair[1]), 0);
        uint64_t began = now_monotonic();
        assert_int_equal(session_run(pair[0], &options, NULL, began), 0);
        assert_true(now_monotonic() - began < 800 * USEC_PER_MSEC);
        pthread_join(closer, NULL);
        fake_watchdog_stop(&w);
        assert_non_null(strstr(text_string(&w.seen), " - - sh\nrelease  clean\n"));
        text_done(&w.seen);
        text_done(&w.requests);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hello),
                cmocka_unit_test(test_without_a_guest),
                cmocka_unit_test(test_no_line_no_answer),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_no_bus),
                cmocka_unit_test(test_watchdog_is_absent),
                cmocka_unit_test(test_watchdog_restarts),
                cmocka_unit_test(test_dead_channels_are_asked_again),
                cmocka_unit_test(test_guests),
                cmocka_unit_test(test_request_members),
                cmocka_unit_test(test_paste),
                cmocka_unit_test(test_paste_answers_anything),
                cmocka_unit_test(test_paste_answers_much),
                cmocka_unit_test(test_a_listeners_machine),
                cmocka_unit_test(test_a_bus_that_hangs),
                cmocka_unit_test(test_wrong_configuration),
                cmocka_unit_test(test_too_long),
                cmocka_unit_test(test_storage),
                cmocka_unit_test(test_storage_on_a_serial_line),
                cmocka_unit_test(test_date_is_that_of_the_sending),
                cmocka_unit_test(test_usage_is_shown),
                cmocka_unit_test(test_client_leaves_the_queue),
        };
        log_setup("test-session");
        return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
