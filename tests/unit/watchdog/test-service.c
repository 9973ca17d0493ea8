/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The watchdog as a service: reloads, its end, what it tells systemd and the bus, and the ways to a guest.
 */

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/io.h"
#include "common/text.h"
#include "test.h"
#include "world.h"

#define ERROR "org.pbot.VM1.Error."
#define NO_DOMAIN "\"domain\": null"
#define LONG (20 * SEC)

/* ---- reloading ---- */

static void test_reload(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));

        /* A mistake keeps the old one, by the bus and by the signal. */
        world_configure(w, NO_DOMAIN ", \"policy\": \"sometimes\"", "");
        assert_string_equal(client_call(bus, NULL, "Reload", NULL), SD_BUS_ERROR_INVALID_ARGS);
        assert_int_equal(kill(w->watchdog_pid, SIGHUP), 0);
        world_wait_count(w, &w->reloads, 2);
        world_wait_count(w, &w->readies, 3);
        assert_string_equal(machine_string(bus, "Policy"), "on-failure");
        held_echo(&held, "still-mine");

        /* A changed machine is exchanged once its lease has ended; what it has counted for stays. */
        world_configure(w, NO_DOMAIN ", \"policy\": \"on-hang\"", ", \"aliases\": {\"other\": \"vm\"}");
        assert_null(client_call(bus, NULL, "Reload", NULL));
        held_echo(&held, "still-mine");
        uint64_t generation = held.generation;
        assert_null(client_release(bus, &held, "clean"));
        held_done(&held);
        world_wait_status(w, "vm ready");
        assert_null(client_lease(bus, "other", LONG, &held));
        assert_true(held.generation >= generation);
        assert_string_equal(machine_string(bus, "Policy"), "on-hang");
        assert_null(client_release(bus, &held, "clean"));
        held_done(&held);

        /* One that is gone is unknown. */
        world_configure_whole(
                w, "{\"machines\": {\"b\": {\"domain\": null, \"serial\": 1}}, \"default-machine\": \"b\"}");
        assert_int_equal(kill(w->watchdog_pid, SIGHUP), 0);
        world_wait_status(w, "b offline");
        assert_string_equal(client_lease(bus, "vm", LONG, &held), ERROR "NoSuchMachine");
        sd_bus_flush_close_unref(bus);
}

/* ---- the end ---- */

static void test_end_waits_for_leases(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF }, other = { .fd = -EBADF };
        Pending pending;

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w), *waiting = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));
        client_lease_begin(waiting, "vm", LONG, &pending);
        while (machine_count(bus, "Queue") < 1)
                usleep(1000);
        assert_int_equal(kill(w->watchdog_pid, SIGTERM), 0);
        assert_string_equal(client_wait(waiting, &pending, &other), ERROR "Refused");
        world_wait_count(w, &w->stops, 1);
        assert_string_equal(client_lease(waiting, "vm", LONG, &other), ERROR "Refused");
        held_echo(&held, "to-the-end");
        assert_null(client_release(bus, &held, "clean"));
        int status = world_wait_end(w);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        sd_bus_flush_close_unref(waiting);
        sd_bus_flush_close_unref(bus);

        /* The machine was left clean. */
        world_start(w);
        world_wait_status(w, "vm ready");
        bus = world_connect(w);
        assert_int_equal(machine_number(bus, "Generation"), held.generation);

        /* The second signal does not wait, and then it is not. */
        held_done(&held);
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_int_equal(kill(w->watchdog_pid, SIGTERM), 0);
        world_wait_count(w, &w->stops, 2);
        status = world_end(w, SIGTERM);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        sd_bus_flush_close_unref(bus);
        world_start(w);
        world_wait_status(w, "vm ready");
        bus = world_connect(w);
        assert_true(machine_number(bus, "Generation") > held.generation);
        sd_bus_flush_close_unref(bus);
}

/* The bus goes: the next start puts things right, so the end is no success, and it is told. */
static void test_bus_lost(void **state) {
        World *w = *state;

        world_start_ready(w, NO_DOMAIN);
        assert_int_equal(kill(w->bus_pid, SIGKILL), 0);
        int status = world_wait_end(w);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
        assert_int_equal(world_log_count(w, "The connection to the bus is lost."), 1);
}

/* Of many machines the status tells as many as systemd takes. */
static void test_long_status(void **state) {
        World *w = *state;
        _cleanup_text_ Text text = {};

        text_append_string(&text, "{\"default-machine\": \"machine-with-a-long-name-0\", \"machines\": {");
        for (int i = 0; i < 200; i++)
                text_append_printf(&text,
                        "%s\"machine-with-a-long-name-%i\": {\"domain\": null, \"channel\": "
                        "\"/nowhere/%i\"}",
                        i > 0 ? ", " : "", i, i);
        text_append_string(&text, "}}");
        world_configure_whole(w, text_string(&text));
        world_start(w);
        world_wait_status(w, "; machine-with-a-long-name-9 offline (");
        world_wait_status(w, " more");
        assert_true(strlen("STATUS=") + strlen(w->status) <= 4096 && strlen(w->status) > 3800);
        size_t told = 1;
        for (const char *p = w->status; (p = strchr(p, ';')); p++)
                told++;
        assert_int_equal(strtoul(strstr(w->status, " and ") + 5, NULL, 10), 200 - told);
}

static void test_pings(void **state) {
        World *w = *state;

        world_set(w, "WATCHDOG_USEC", "400000");
        world_start_ready(w, NO_DOMAIN);
        world_wait_count(w, &w->pings, 3);
}

/* ---- signals ---- */

typedef struct Heard {
        char states[512];
        unsigned changes;
} Heard;

static int on_state(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        Heard *heard = userdata;
        const char *old, *new, *reason;

        assert_true(sd_bus_message_read(m, "sss", &old, &new, &reason) > 0);
        size_t n = strlen(heard->states);
        snprintf(heard->states + n, sizeof(heard->states) - n, "%s>%s ", old, new);
        return 0;
}

static int on_properties(sd_bus_message *m _unused_, void *userdata, sd_bus_error *error _unused_) {
        ((Heard *)userdata)->changes++;
        return 0;
}

static void test_signals(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        Heard heard = {};

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w), *listener = world_connect(w);
        assert_true(sd_bus_match_signal(listener, NULL, "org.pbot.VM1", "/org/pbot/VM1/machine/vm",
                            "org.pbot.VM1.Machine", "StateChanged", on_state, &heard) >= 0);
        assert_true(
                sd_bus_match_signal(listener, NULL, "org.pbot.VM1", "/org/pbot/VM1/machine/vm",
                        "org.freedesktop.DBus.Properties", "PropertiesChanged", on_properties, &heard) >= 0);
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_null(client_release(bus, &held, "timed-out"));
        while (!strstr(heard.states, "starting>ready")) {
                int r = sd_bus_process(listener, NULL);
                assert_true(r >= 0);
                if (r == 0)
                        assert_true(sd_bus_wait(listener, WORLD_PATIENCE_USEC) > 0);
        }
        assert_string_equal(heard.states, "ready>busy busy>reverting reverting>starting starting>ready ");
        assert_true(heard.changes >= 2);
        sd_bus_flush_close_unref(listener);
        sd_bus_flush_close_unref(bus);
}

static struct timespec state_written(const World *w) {
        struct stat st;
        char path[128];

        snprintf(path, sizeof(path), "%s/run/state.json", w->directory);
        assert_int_equal(stat(path, &st), 0);
        return st.st_ctim;
}

/* Beats that are no news are told to nobody, and nothing is written for them. */
static void test_beats_are_no_news(void **state) {
        World *w = *state;
        Heard heard = {};

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w), *listener = world_connect(w);
        usleep(500000);
        assert_true(
                sd_bus_match_signal(listener, NULL, "org.pbot.VM1", "/org/pbot/VM1/machine/vm",
                        "org.freedesktop.DBus.Properties", "PropertiesChanged", on_properties, &heard) >= 0);
        struct timespec before = state_written(w);
        /* Ten of them, and the age of the last is known all the same. */
        usleep(1000000);
        while (sd_bus_process(listener, NULL) > 0)
                ;
        assert_int_equal(heard.changes, 0);
        struct timespec after = state_written(w);
        assert_true(before.tv_sec == after.tv_sec && before.tv_nsec == after.tv_nsec);
        assert_true(machine_number(bus, "HeartbeatAgeUSec") < SEC);
        sd_bus_flush_close_unref(listener);
        sd_bus_flush_close_unref(bus);
}

typedef struct Comings {
        char events[512];
        bool policy, requests; /* told by PropertiesChanged */
} Comings;

static int on_coming(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        Comings *c = userdata;
        const char *path;

        assert_true(sd_bus_message_read(m, "o", &path) > 0);
        size_t n = strlen(c->events);
        snprintf(c->events + n, sizeof(c->events) - n, "%c%s ",
                streq(sd_bus_message_get_member(m), "InterfacesAdded") ? '+' : '-', strrchr(path, '/') + 1);
        return 0;
}

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        Comings *c = userdata;
        const char *name;

        assert_true(sd_bus_message_skip(m, "s") >= 0);
        assert_true(sd_bus_message_enter_container(m, 'a', "{sv}") > 0);
        while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                assert_true(sd_bus_message_read(m, "s", &name) > 0);
                c->policy = c->policy || streq(name, "Policy");
                c->requests = c->requests || streq(name, "Requests");
                assert_true(sd_bus_message_skip(m, "v") >= 0);
                assert_true(sd_bus_message_exit_container(m) >= 0);
        }
        return 0;
}

static void listen_until(sd_bus *bus, const Comings *c, const char *events, bool properties) {
        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;

        while ((!streq(c->events, events) || (properties && !(c->policy && c->requests))) &&
                now_monotonic() < deadline) {
                int r = sd_bus_process(bus, NULL);
                assert_true(r >= 0);
                if (r == 0)
                        assert_true(sd_bus_wait(bus, USEC_PER_SEC) >= 0);
        }
        assert_string_equal(c->events, events);
        assert_true(!properties || (c->policy && c->requests));
}

/* Machines that come, go, or get other settings on a reload are announced; of one with other settings, whose
 * counters begin again, the properties are told. */
static void test_machines_come_and_go(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        Comings c = {};
        sd_bus_message *reply = NULL;
        const char *path;

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w), *listener = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_null(client_release(bus, &held, "clean"));
        assert_true(sd_bus_match_signal(listener, NULL, "org.pbot.VM1", "/org/pbot/VM1",
                            "org.freedesktop.DBus.ObjectManager", NULL, on_coming, &c) >= 0);

        world_configure(w, NO_DOMAIN "}, \"b\": {\"domain\": null, \"serial\": 1", "");
        assert_null(client_call(bus, NULL, "Reload", NULL));
        listen_until(listener, &c, "+b ", false);
        world_configure(w, NO_DOMAIN, "");
        assert_null(client_call(bus, NULL, "Reload", NULL));
        listen_until(listener, &c, "+b -b ", false);
        assert_int_equal(machine_number(bus, "Requests"), 1);

        assert_true(sd_bus_match_signal(listener, NULL, "org.pbot.VM1", "/org/pbot/VM1/machine/vm",
                            "org.freedesktop.DBus.Properties", "PropertiesChanged", on_changed, &c) >= 0);
        world_configure(w, NO_DOMAIN ", \"policy\": \"on-hang\"", "");
        assert_null(client_call(bus, NULL, "Reload", NULL));
        listen_until(listener, &c, "+b -b -vm +vm ", true);
        assert_int_equal(machine_number(bus, "Requests"), 0);

        assert_true(
                sd_bus_call_method(bus, "org.pbot.VM1", "/org/pbot/VM1",
                        "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL, &reply, NULL) >= 0);
        assert_true(sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}") > 0);
        assert_true(sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}") > 0);
        assert_true(sd_bus_message_read(reply, "o", &path) > 0);
        assert_string_equal(path, "/org/pbot/VM1/machine/vm");
        sd_bus_message_unref(reply);
        sd_bus_flush_close_unref(listener);
        sd_bus_flush_close_unref(bus);
}

/* A watchdog that was held up itself blames nobody for that. */
static void test_late_itself(void **state) {
        World *w = *state;

        world_start_ready(w, NO_DOMAIN ", \"heartbeat\": 1");
        sd_bus *bus = world_connect(w);
        uint64_t generation = machine_number(bus, "Generation");
        for (int i = 0; i < 3; i++) {
                assert_int_equal(kill(w->watchdog_pid, SIGSTOP), 0);
                usleep(1300000);
                assert_int_equal(kill(w->watchdog_pid, SIGCONT), 0);
                assert_string_equal(machine_string(bus, "State"), "ready");
        }
        assert_int_equal(machine_number(bus, "Generation"), generation);
        sd_bus_flush_close_unref(bus);
}

/* ---- ways to a guest ---- */

static void test_kinds(void **state) {
        static const struct {
                const char *beat;
                bool beats;
                const char *kind;
                bool markers;
        } table[] = {
                { "pbotvm 7 0.1", true, "pbotvm", false },
                { "", true, "pbot-2023", true },
                { "", false, "pbot-2026", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                void *inner;
                _cleanup_held_ Held held = { .fd = -EBADF };

                if (i > 0) {
                        world_teardown(state);
                        assert_int_equal(world_setup(&inner), 0);
                        *state = inner;
                }
                World *w = *state;
                fake_guest_set_beat(w->guest, table[i].beat);
                fake_guest_set(w->guest, FAKE_BEATS, table[i].beats);
                fake_guest_set(w->guest, FAKE_ASKED, !table[i].beats);
                world_start_ready(w, NO_DOMAIN);
                sd_bus *bus = world_connect(w);
                assert_null(client_lease(bus, "vm", LONG, &held));
                assert_string_equal(held.guest, table[i].kind);
                held_echo(&held, "hello");
                assert_int_equal(fake_guest_end_markers(w->guest) > 0, table[i].markers);
                sd_bus_flush_close_unref(bus);
        }
}

/* A channel on which nobody answers is given up for the serial line, and comes first where somebody does. */
static void test_transports(void **state) {
        World *w = *state;
        FakeGuest *channel = fake_guest_new(w->directory);
        _cleanup_text_ Text text = {};
        _cleanup_held_ Held held = { .fd = -EBADF };

        text_append_printf(&text,
                "{\"machines\": {\"vm\": {\"domain\": null, \"serial\": %i, \"heart\": %i, \"channel\": "
                "\"%s/data\","
                "\"channel-heart\": \"%s/heart\", \"guest\": \"pbotvm\"}}, \"default-machine\": \"vm\"}",
                fake_guest_data_port(w->guest), fake_guest_heart_port(w->guest), w->directory, w->directory);
        world_configure_whole(w, text_string(&text));
        world_start(w);
        world_wait_status(w, "vm ready (channel)");
        sd_bus *bus = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_string_equal(held.transport, "channel");
        held_echo(&held, "by-channel");

        /* What worked is tried first, but it does not answer now. */
        fake_guest_set(channel, FAKE_ANSWERS, false);
        assert_null(client_release(bus, &held, "lost"));
        world_wait_status(w, "vm ready (serial)");
        held_done(&held);
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_string_equal(held.transport, "serial");
        held_echo(&held, "by-serial");
        sd_bus_flush_close_unref(bus);
        fake_guest_free(channel);
}

/* Waiting and time limit that are more than PBot's patience are warned of, at the start and after a reload.
 */
static void test_more_than_pbots_patience(void **state) {
        World *w = *state;

        world_configure(w, "\"timeout\": 20", ", \"wait\": 15");
        world_start(w);
        assert_int_equal(world_log_count(w, "Machine vm: a request may wait 15 s and run 20 s"), 1);
        world_configure(w, "\"timeout\": 20", "");
        assert_int_equal(kill(w->watchdog_pid, SIGHUP), 0);
        world_wait_count(w, &w->readies, 2);
        assert_int_equal(world_log_count(w, "may wait"), 1);
        world_configure(w, "\"timeout\": 40", "");
        assert_int_equal(kill(w->watchdog_pid, SIGHUP), 0);
        world_wait_count(w, &w->readies, 3);
        assert_int_equal(world_log_count(w, "Machine vm: a request may wait 3 s and run 40 s"), 1);
}

/* How long a start that fails takes, milliseconds. */
static uint64_t failed_start(World *w) {
        uint64_t began = now_monotonic();

        world_start_dying(w);
        int status = world_wait_end(w);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
        return (now_monotonic() - began) / USEC_PER_MSEC;
}

/* Each is told later than the one before, until a start succeeds; whoever stops it need not wait. */
static void test_failed_starts(void **state) {
        World *w = *state;

        world_configure_whole(w, "{");
        for (uint64_t msec = 200; msec <= 1600; msec *= 2)
                assert_true(failed_start(w) >= msec);

        world_start_dying(w);
        usleep(300 * 1000);
        uint64_t began = now_monotonic();
        assert_int_equal(kill(w->watchdog_pid, SIGTERM), 0);
        (void)world_wait_end(w);
        assert_true(now_monotonic() - began < USEC_PER_SEC);

        world_start_ready(w, "\"domain\": null");
        (void)world_end(w, SIGTERM);
        world_configure_whole(w, "{");
        uint64_t time = failed_start(w);
        assert_true(time >= 200 && time <= 2500);
}

int main(void) {
#define test_in_world(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        const struct CMUnitTest tests[] = {
                test_in_world(test_reload),
                test_in_world(test_end_waits_for_leases),
                test_in_world(test_bus_lost),
                test_in_world(test_long_status),
                test_in_world(test_pings),
                test_in_world(test_signals),
                test_in_world(test_beats_are_no_news),
                test_in_world(test_machines_come_and_go),
                test_in_world(test_late_itself),
                test_in_world(test_kinds),
                test_in_world(test_transports),
                test_in_world(test_more_than_pbots_patience),
                test_in_world(test_failed_starts),
        };
        cmocka_set_test_filter(getenv("PBOTVM_TEST_FILTER"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
