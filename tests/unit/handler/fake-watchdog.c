/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-watchdog.h"

/* These asserts do the work. */
#undef NDEBUG
#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>

#include "common/io.h"

/* The guest's end of a lease, served in a thread until its end. */
typedef struct Guest {
        FakeWatchdog *watchdog;
        FakeStep step;
        int fd;
        Text request;
} Guest;

static const FakeStep *step_of(const FakeWatchdog *w, unsigned lease) {
        return &w->steps[MIN((size_t)lease, w->n_steps - 1)];
}

/* The id member, found by its text: what is sent is ours. */
static void append_reply(Text *out, const char *reply, const char *request) {
        static const char mark[] = "\"id\":\"";
        const char *id = strstr(request, mark), *p;

        while ((p = strstr(reply, "%ID%"))) {
                text_append(out, reply, (size_t)(p - reply));
                if (id)
                        text_append(out, id + strlen(mark), strcspn(id + strlen(mark), "\""));
                reply = p + 4;
        }
        text_append_string(out, reply);
}

static bool request_whole(const Text *request) {
        return strstr(text_string(request), "\n\n") || strstr(text_string(request), "\n:end:\n");
}

static void *guest_main(void *userdata) {
        Guest *g = userdata;
        _cleanup_text_ Text out = {};
        char buffer[65536];
        ssize_t n;

        while (!request_whole(&g->request) &&
                (n = io_read(g->fd, buffer, sizeof(buffer), USEC_INFINITY)) > 0)
                text_append(&g->request, buffer, (size_t)n);
        if (g->step.silent)
                while (io_read(g->fd, buffer, sizeof(buffer), USEC_INFINITY) > 0)
                        ;
        else if (g->step.reply) {
                append_reply(&out, g->step.reply, text_string(&g->request));
                (void)io_write(g->fd, text_string(&out), out.size, USEC_INFINITY);
        }
        fd_close(g->fd);
        return g;
}

#define GUESTS_MAX 8
typedef struct Server {
        FakeWatchdog *watchdog;
        pthread_t guests[GUESTS_MAX];
        size_t n_guests;
} Server;

static void start_guest(Server *s, const FakeStep *step, int fd) {
        if (step->dead) {
                fd_close(fd);
                return;
        }
        Guest *g = calloc(1, sizeof(*g));
        assert(g && s->n_guests < GUESTS_MAX);
        *g = (Guest){ .watchdog = s->watchdog, .step = *step, .fd = fd };
        assert(pthread_create(&s->guests[s->n_guests++], NULL, guest_main, g) == 0);
}

static void read_options(sd_bus_message *m, uint64_t *wait, const char *strings[3]) {
        static const char *const names[] = { "nick", "channel", "language" };
        const char *name;

        assert(sd_bus_message_enter_container(m, 'a', "{sv}") > 0);
        while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                assert(sd_bus_message_read(m, "s", &name) > 0);
                if (streq(name, "wait_usec"))
                        assert(sd_bus_message_read(m, "v", "t", wait) > 0);
                for (size_t i = 0; i < 3; i++)
                        if (streq(name, names[i]))
                                assert(sd_bus_message_read(m, "v", "s", &strings[i]) > 0);
                assert(sd_bus_message_exit_container(m) >= 0);
        }
}

static int grant(Server *s, sd_bus_message *m, const FakeStep *step) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int pair[2];
        char id[32];

        assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) >= 0);
        snprintf(id, sizeof(id), "lease-%u", s->watchdog->n_leases);
        assert(sd_bus_message_new_method_return(m, &reply) >= 0);
        assert(sd_bus_message_append(reply, "hsa{sv}", pair[0], id, 5, "machine", "s", "pbot-vm",
                       "generation", "t", (uint64_t)7, "guest", "s", step->guest ? step->guest : "pbotvm",
                       "transport", "s", step->transport ? step->transport : "channel", "timeout_usec", "t",
                       step->timeout_usec ? step->timeout_usec : 10 * USEC_PER_SEC) >= 0);
        /* The one who asked may be gone by now. */
        int r = sd_bus_send(NULL, reply, NULL);
        fd_close(pair[0]);
        if (r < 0) {
                fd_close(pair[1]);
                return 1;
        }
        start_guest(s, step, pair[1]);
        return 1;
}

static int on_lease(Server *s, sd_bus_message *m) {
        FakeWatchdog *w = s->watchdog;
        const FakeStep *step = step_of(w, w->n_leases++);
        const char *machine, *strings[3] = { "-", "-", "-" };
        uint64_t wait = 0;

        assert(sd_bus_message_read(m, "s", &machine) > 0);
        read_options(m, &wait, strings);
        text_append_printf(&w->seen, "lease %s %" PRIu64 " %s %s %s\n", machine, wait / USEC_PER_SEC,
                strings[0], strings[1], strings[2]);
        if (step->delay_msec)
                usleep(step->delay_msec * 1000);
        if (step->waits)
                return 1;
        if (!step->error)
                return grant(s, m, step);

        char name[120];
        snprintf(name, sizeof(name), "%s%s", strchr(step->error, '.') ? "" : "org.pbot.VM1.Error.",
                step->error);
        return sd_bus_reply_method_errorf(m, name, "%s", step->message ? step->message : "no");
}

/* The name is taken: told as the bus does. */
static void arrive(sd_bus *bus) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        assert(sd_bus_message_new_signal(
                       bus, &m, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged") >= 0);
        assert(sd_bus_message_set_sender(m, "org.freedesktop.DBus") >= 0);
        assert(sd_bus_message_append(m, "sss", "org.pbot.VM1", "", ":1.2") >= 0);
        assert(sd_bus_send(bus, m, NULL) >= 0);
}

/* A property of the watchdog's unit. */
static int on_unit(const FakeWatchdog *w, sd_bus_message *m) {
        const char *interface, *property;
        int r;

        assert(streq(
                sd_bus_message_get_path(m), "/org/freedesktop/systemd1/unit/pbotvm_2dwatchdog_2eservice"));
        assert(sd_bus_message_read(m, "ss", &interface, &property) > 0);
        if (!w->unit_state)
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_NAME_HAS_NO_OWNER, "no systemd");
        bool is_state = streq(property, "ActiveState");
        if (is_state)
                r = sd_bus_reply_method_return(m, "v", "s", w->unit_state);
        else
                r = sd_bus_reply_method_return(m, "v", "(uo)", w->unit_job, "/");
        if (w->unit_comes && is_state == (w->unit_job == 0))
                arrive(sd_bus_message_get_bus(m));
        return r;
}

/* What is for the bus itself, or for systemd; 0 if it is neither. */
static int on_others(const FakeWatchdog *w, sd_bus_message *m) {
        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "Hello"))
                return sd_bus_reply_method_return(m, "s", ":1.1");
        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "AddMatch") ||
                sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "RemoveMatch"))
                return sd_bus_reply_method_return(m, "");
        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "NameHasOwner"))
                return sd_bus_reply_method_return(m, "b", 0);
        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", "Get"))
                return on_unit(w, m);
        return 0;
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Server *s = userdata;
        FakeWatchdog *w = s->watchdog;
        const char *a, *b;

        (void)error;
        int r = on_others(w, m);
        if (r != 0)
                return r;
        if (sd_bus_message_is_method_call(m, "org.pbot.VM1.Manager", "Lease"))
                return on_lease(s, m);
        if (sd_bus_message_is_method_call(m, "org.pbot.VM1.Manager", "Release")) {
                assert(sd_bus_message_read(m, "ss", &a, &b) > 0);
                text_append_printf(&w->seen, "release %s %s\n", a, b);
                return sd_bus_message_get_expect_reply(m) ? sd_bus_reply_method_return(m, "") : 1;
        }
        if (sd_bus_message_is_method_call(m, "org.pbot.VM1.Paste", "Paste")) {
                assert(sd_bus_message_read(m, "s", &a) > 0);
                text_append_printf(&w->seen, "paste %s\n", a);
                if (w->paste_error)
                        return sd_bus_reply_method_errorf(
                                m, "org.pbot.VM1.Error.Refused", "%s", w->paste_error);
                return sd_bus_reply_method_return(m, "s", w->paste_url ?: "http://paste/1");
        }
        return 0;
}

static void serve(Server *s, int fd) {
        sd_bus *bus = NULL;
        sd_id128_t id;

        assert(sd_id128_randomize(&id) >= 0);
        assert(sd_bus_new(&bus) >= 0);
        assert(sd_bus_set_fd(bus, fd, fd) >= 0);
        assert(sd_bus_set_server(bus, 1, id) >= 0);
        assert(sd_bus_set_anonymous(bus, 1) >= 0);
        assert(sd_bus_negotiate_fds(bus, 1) >= 0);
        assert(sd_bus_start(bus) >= 0);
        assert(sd_bus_add_filter(bus, NULL, on_message, s) >= 0);
        for (;;) {
                int r = sd_bus_process(bus, NULL);
                if (r < 0)
                        break;
                if (r == 0 && sd_bus_wait(bus, USEC_INFINITY) < 0)
                        break;
        }
        sd_bus_flush_close_unref(bus);
}

/* Serves one connection after another until it is stopped. */
static void *watchdog_main(void *userdata) {
        FakeWatchdog *w = userdata;
        Server s = { .watchdog = w };

        for (;;) {
                struct pollfd p[] = { { .fd = w->listener, .events = POLLIN },
                        { .fd = w->stop_fd, .events = POLLIN } };
                assert(poll(p, 2, -1) > 0);
                if (!(p[0].revents & POLLIN))
                        break;
                int fd = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                assert(fd >= 0);
                serve(&s, fd);
        }
        for (size_t i = 0; i < s.n_guests; i++) {
                void *result;
                pthread_join(s.guests[i], &result);
                Guest *g = result;
                text_append_text(&w->requests, &g->request);
                text_done(&g->request);
                free(g);
        }
        return NULL;
}

void fake_watchdog_start(FakeWatchdog *w, const FakeStep *steps, size_t n_steps) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        *w = (FakeWatchdog){ .directory = "/tmp/test-handler-XXXXXX", .steps = steps, .n_steps = n_steps };
        assert(mkdtemp(w->directory));
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/bus", w->directory);
        snprintf(w->address, sizeof(w->address), "unix:path=%s/bus", w->directory);
        w->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        w->stop_fd = eventfd(0, EFD_CLOEXEC);
        assert(bind(w->listener, (struct sockaddr *)&address, sizeof(address)) >= 0 &&
                listen(w->listener, 8) >= 0);
        setenv("DBUS_SYSTEM_BUS_ADDRESS", w->address, true);
        assert(pthread_create(&w->thread, NULL, watchdog_main, w) == 0);
}

void fake_watchdog_stop(FakeWatchdog *w) {
        char path[64];

        assert(eventfd_write(w->stop_fd, 1) >= 0);
        pthread_join(w->thread, NULL);
        snprintf(path, sizeof(path), "%s/bus", w->directory);
        (void)unlink(path);
        (void)rmdir(w->directory);
        fd_close(w->listener);
        fd_close(w->stop_fd);
        unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}
