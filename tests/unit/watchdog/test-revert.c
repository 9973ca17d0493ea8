/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reverts by libvirt: its test driver really reverts, without a daemon. */

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "common/io.h"
#include "common/text.h"
#include "node.h"
#include "test.h"

#define ERROR "org.pbot.VM1.Error."
#define LONG (20 * SEC)

static void write_node(const World *w, const char *file, int state, const char *snapshot) {
        node_write(w, file, (const char *const[]){ "vm", NULL }, state, snapshot);
}

static void configure_with(World *w, const char *members, const char *more) {
        _cleanup_text_ Text machine = {};

        text_append_printf(&machine, "\"uri\": \"test://%s/node.xml\"%s", w->directory, members);
        world_configure(w, text_string(&machine), more);
}

static void configure(World *w, const char *members) {
        configure_with(w, members, "");
}

/* The watchdog with a running domain, ready; what libvirt thinks of it is known. */
static sd_bus *start(World *w, const char *members) {
        write_node(w, "node.xml", NODE_RUNNING, "1");
        configure(w, members);
        world_start(w);
        world_wait_status(w, "vm ready");
        return world_connect(w);
}

static void wait_reverts(sd_bus *bus, uint64_t reverts) {
        while (machine_number(bus, "Reverts") < reverts)
                usleep(1000);
}

static void test_brought_up_when_off(void **state) {
        static const struct {
                int state;
                const char *reason;
        } table[] = {
                { NODE_SHUTOFF, "the domain is off" },
                { NODE_PAUSED, "the domain is paused" },
                { NODE_CRASHED, "the guest crashed" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                World *w = *state;

                write_node(w, "node.xml", table[i].state, "1");
                configure(w, "");
                world_start(w);
                sd_bus *bus = world_connect(w);
                wait_reverts(bus, 1);
                assert_string_equal(machine_string(bus, "LastRevertReason"), table[i].reason);
                world_wait_status(w, "vm ready");
                assert_int_equal(machine_number(bus, "Reverts"), 1);
                assert_int_equal(machine_number(bus, "RevertFailures"), 0);
                assert_true(machine_number(bus, "LastRevertUSec") > 0);
                sd_bus_flush_close_unref(bus);
                (void)world_end(w, 15);
        }
}

static void test_outcomes_revert(void **state) {
        static const struct {
                const char *outcome; /* by its name the reason is counted, too */
                const char *reason;
        } table[] = {
                { "timed-out", "a command timed out" },
                { "killed", "a command was killed" },
                { "protocol-error", "the guest broke the protocol" },
                { "lost", "the connection was lost during a request" },
                { "unsent", "the connection was lost before a request" },
        };
        World *w = *state;
        sd_bus *bus = start(w, "");

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_held_ Held held = { .fd = -EBADF }, next = { .fd = -EBADF };

                assert_null(client_lease(bus, "vm", LONG, &held));
                assert_null(client_release(bus, &held, table[i].outcome));
                /* A request that comes while it reverts is served afterwards. */
                assert_null(client_lease(bus, "vm", LONG, &next));
                assert_true(next.generation > held.generation);
                held_echo(&next, table[i].outcome);
                assert_null(client_release(bus, &next, "clean"));
                assert_int_equal(machine_number(bus, "Reverts"), i + 1);
                assert_string_equal(machine_string(bus, "LastRevertReason"), table[i].reason);
                assert_int_equal(machine_counted(bus, "RevertsByReason", table[i].outcome), 1);
                assert_int_equal(machine_counted(bus, "LeasesByOutcome", table[i].outcome), 1);
                assert_int_equal(machine_counted(bus, "LeasesByOutcome", "clean"), i + 1);
        }
        assert_int_equal(machine_counted(bus, "RevertsByReason", "operator"), 0);
        sd_bus_flush_close_unref(bus);
}

/* What our agent ended by a limit is a result, if the agent proves itself right after. */
static void test_contained_jobs_do_not_revert(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, "");
        _cleanup_held_ Held held = { .fd = -EBADF }, next = { .fd = -EBADF };

        unsigned before = fake_guest_requests(w->guest);
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_null(client_release(bus, &held, "contained"));
        assert_null(client_lease(bus, "vm", LONG, &next));
        assert_true(fake_guest_requests(w->guest) > before);
        assert_int_equal(next.generation, held.generation);
        assert_int_equal(machine_number(bus, "Reverts"), 0);

        fake_guest_set(w->guest, FAKE_ANSWERS, false);
        assert_null(client_release(bus, &next, "contained"));
        wait_reverts(bus, 1);
        assert_string_equal(machine_string(bus, "LastRevertReason"), "the agent does not answer");
        sd_bus_flush_close_unref(bus);
}

static void test_policies(void **state) {
        static const struct {
                const char *members;
                const char *outcome;
                uint64_t reverts;
                bool new_generation;
        } table[] = {
                { ", \"policy\": \"always\"", "clean", 1, true },
                { ", \"policy\": \"on-hang\"", "timed-out", 0, false },
                { ", \"policy\": \"on-hang\"", "lost", 1, true },
                { ", \"policy\": \"never\"", "timed-out", 0, true },
        };
        World *w = *state;

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_held_ Held held = { .fd = -EBADF }, next = { .fd = -EBADF };
                sd_bus *bus = start(w, table[i].members);
                uint64_t before = machine_number(bus, "Reverts");

                assert_null(client_lease(bus, "vm", LONG, &held));
                assert_null(client_release(bus, &held, table[i].outcome));
                assert_null(client_lease(bus, "vm", LONG, &next));
                assert_int_equal(next.generation > held.generation, table[i].new_generation);
                assert_int_equal(machine_number(bus, "Reverts") - before, table[i].reverts);
                assert_null(client_release(bus, &next, "clean"));
                sd_bus_flush_close_unref(bus);
                (void)world_end(w, 15);
        }
}

/* On-hang, and the guest does hang: the proof that it is asked for does not come. */
static void test_on_hang_with_a_hang(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        sd_bus *bus = start(w, ", \"policy\": \"on-hang\"");

        assert_null(client_lease(bus, "vm", LONG, &held));
        fake_guest_set(w->guest, FAKE_ANSWERS, false);
        assert_null(client_release(bus, &held, "timed-out"));
        wait_reverts(bus, 1);
        assert_string_equal(machine_string(bus, "LastRevertReason"), "the agent does not answer");
        sd_bus_flush_close_unref(bus);
}

static void test_heartbeat_lost(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        sd_bus *bus = start(w, ", \"heartbeat\": 1");

        /* The one who has it gets two seconds, then it is taken back. */
        assert_null(client_lease(bus, "vm", LONG, &held));
        fake_guest_set(w->guest, FAKE_BEATS, false);
        assert_true(held_is_over(&held));
        wait_reverts(bus, 1);
        assert_string_equal(machine_string(bus, "LastRevertReason"), "the heartbeat stopped");
        fake_guest_set(w->guest, FAKE_BEATS, true);
        held_done(&held);
        assert_null(client_lease(bus, "vm", LONG, &held));
        held_echo(&held, "back");
        sd_bus_flush_close_unref(bus);
}

/* A snapshot is taken of a machine that works, and what is reverted to is the new one. */
static void snapshot_and_revert(World *w, sd_bus *bus) {
        world_wait_status(w, "vm ready");
        while (client_call(bus, "vm", "Snapshot", NULL))
                usleep(1000);
        assert_null(client_call(bus, "vm", "Revert", "again"));
        assert_int_equal(machine_counted(bus, "RevertsByReason", "operator"), 2);
}

static void test_operators(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, "");
        uint64_t generation = machine_number(bus, "Generation");

        assert_null(client_call(bus, "vm", "Revert", "because"));
        assert_int_equal(machine_number(bus, "Reverts"), 1);
        assert_true(machine_number(bus, "Generation") > generation);
        assert_string_equal(machine_string(bus, "LastRevertReason"), "an operator asked");

        snapshot_and_revert(w, bus);
        sd_bus_flush_close_unref(bus);
}

static void test_missing_things(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        /* Without a snapshot it works as long as nothing is due. */
        write_node(w, "node.xml", NODE_RUNNING, NULL);
        configure(w, "");
        world_start(w);
        world_wait_status(w, "vm ready");
        sd_bus *bus = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_null(client_release(bus, &held, "timed-out"));
        world_wait_status(w, "vm failed (a command timed out; its snapshot is missing)");
        held_done(&held);
        assert_string_equal(client_lease(bus, "vm", SEC / 5, &held), ERROR "Resetting");
        sd_bus_flush_close_unref(bus);
        (void)world_end(w, 15);

        write_node(w, "node.xml", NODE_RUNNING, "1");
        configure(w, ", \"domain\": \"elsewhere\"");
        world_start(w);
        world_wait_status(w, "vm offline");
        bus = world_connect(w);
        assert_string_equal(machine_string(bus, "StateReason"), "libvirt knows no such domain");
        assert_string_equal(client_lease(bus, "vm", 5 * SEC, &held), ERROR "Offline");
        sd_bus_flush_close_unref(bus);
}

/* Whoever asks for a revert that something is in the way of is told so at once, however often; it happens
 * when it can, here by a machine with other settings. */
static void test_revert_with_an_obstacle(void **state) {
        World *w = *state;

        write_node(w, "node.xml", NODE_RUNNING, "1");
        configure(w, ", \"snapshot\": \"2\"");
        world_start(w);
        world_wait_status(w, "vm ready");
        sd_bus *bus = world_connect(w);
        for (int i = 0; i < 20; i++)
                assert_string_equal(client_call(bus, "vm", "Revert", "because"), SD_BUS_ERROR_FAILED);
        world_wait_status(w, "vm failed (an operator asked; its snapshot is missing)");
        configure(w, "");
        assert_int_equal(kill(w->watchdog_pid, SIGHUP), 0);
        world_wait_status(w, "vm ready");
        assert_int_equal(machine_number(bus, "Reverts"), 1);
        assert_string_equal(machine_string(bus, "LastRevertReason"), "an operator asked");
        sd_bus_flush_close_unref(bus);
}

static unsigned count_threads(const World *w) {
        char path[64];
        unsigned n = 0;

        snprintf(path, sizeof(path), "/proc/%i/task", (int)w->watchdog_pid);
        DIR *dir = opendir(path);
        assert_non_null(dir);
        for (const struct dirent *entry; (entry = readdir(dir));)
                n += entry->d_name[0] != '.';
        closedir(dir);
        return n;
}

/* Connections to libvirt that no machine needs any more go with their threads, also one that never came
 * about; the sign of life does without them. */
static void test_reload_gives_up_connections(void **state) {
        World *w = *state;
        _cleanup_text_ Text more = {};

        write_node(w, "node.xml", NODE_RUNNING, "1");
        write_node(w, "other.xml", NODE_RUNNING, "1");
        text_append_printf(&more,
                "\"uri\": \"test://%s/node.xml\"}, "
                "\"b\": {\"uri\": \"test://%s/other.xml\", \"domain\": \"vm\"}, "
                "\"c\": {\"uri\": \"test://%s/none.xml\"",
                w->directory, w->directory, w->directory);
        world_configure(w, text_string(&more), "");
        world_set(w, "WATCHDOG_USEC", "400000");
        world_start(w);
        world_wait_status(w, "vm ready");
        unsigned before = count_threads(w);
        for (int i = 0; i < 3; i++) {
                configure(w, "");
                assert_int_equal(kill(w->watchdog_pid, SIGHUP), 0);
                uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;
                while (count_threads(w) > before - 6 && now_monotonic() < deadline)
                        usleep(10000);
                assert_int_equal(count_threads(w), before - 6);
                world_wait_count(w, &w->pings, world_count(w, &w->pings) + 5);

                /* They come again when they are needed again. */
                world_configure(w, text_string(&more), "");
                assert_int_equal(kill(w->watchdog_pid, SIGHUP), 0);
                while (count_threads(w) < before && now_monotonic() < deadline)
                        usleep(10000);
                assert_int_equal(count_threads(w), before);
        }
        sd_bus *bus = world_connect(w);
        assert_null(client_call(bus, "vm", "Revert", "because"));
        sd_bus_flush_close_unref(bus);
}

/* A snapshot that was being replaced when the disk was full or libvirt went away: the new one is there,
 * under the name it has meanwhile. */
static void test_half_replaced_snapshot(void **state) {
        World *w = *state;

        write_node(w, "node.xml", NODE_RUNNING, "1.new");
        configure(w, "");
        world_start(w);
        world_wait_status(w, "vm ready");
        sd_bus *bus = world_connect(w);
        assert_null(client_call(bus, "vm", "Revert", "because"));
        assert_int_equal(machine_number(bus, "Reverts"), 1);
        snapshot_and_revert(w, bus);
        sd_bus_flush_close_unref(bus);
}

/* While libvirt is away requests go on; a revert that is due happens when it is back. */
static void test_libvirt_away(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        configure(w, "");
        world_start(w);
        world_wait_status(w, "vm ready");
        sd_bus *bus = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));
        held_echo(&held, "without-libvirt");
        assert_null(client_release(bus, &held, "timed-out"));
        held_done(&held);
        world_wait_status(w, "vm reverting (a command timed out; libvirt is away)");
        assert_string_equal(client_lease(bus, "vm", SEC / 5, &held), ERROR "Resetting");

        write_node(w, "node.xml", NODE_RUNNING, "1");
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_int_equal(machine_number(bus, "Reverts"), 1);
        sd_bus_flush_close_unref(bus);
}

/* Two requests a guest, and how far it has come outlives the watchdog. */
static void test_number_of_requests(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, ", \"max-requests\": 2");

        for (int i = 0; i < 3; i++) {
                _cleanup_held_ Held held = { .fd = -EBADF };

                assert_null(client_lease(bus, "vm", LONG, &held));
                assert_null(client_release(bus, &held, "clean"));
        }
        assert_int_equal(machine_number(bus, "Reverts"), 1);
        assert_string_equal(
                machine_string(bus, "LastRevertReason"), "the guest has served as many requests as it may");
        sd_bus_flush_close_unref(bus);
        (void)world_end(w, SIGKILL);
        bus = start(w, ", \"max-requests\": 2");
        _cleanup_held_ Held held = { .fd = -EBADF };
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_null(client_release(bus, &held, "clean"));
        wait_reverts(bus, 1);
        sd_bus_flush_close_unref(bus);
}

static const char *lease_as(sd_bus *bus, const char *nick, Held *ret) {
        Pending pending;

        client_lease_begin_as(bus, "vm", nick, LONG, &pending);
        return client_wait(bus, &pending, ret);
}

static void cost(sd_bus *bus, const char *nick, const char *outcome) {
        _cleanup_held_ Held held = { .fd = -EBADF };

        assert_null(lease_as(bus, nick, &held));
        assert_null(client_release(bus, &held, outcome));
}

static void assert_refused(sd_bus *bus, const char *wanted_nick, uint32_t wanted_reverts) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *nick, *channel;
        uint32_t reverts;
        uint64_t left;

        assert_true(sd_bus_get_property(bus, "org.pbot.VM1", "/org/pbot/VM1", "org.pbot.VM1.Manager",
                            "RefusedNicks", NULL, &reply, "a(ssut)") >= 0);
        assert_true(sd_bus_message_enter_container(reply, 'a', "(ssut)") >= 0);
        int r = sd_bus_message_read(reply, "(ssut)", &nick, &channel, &reverts, &left);
        assert_int_equal(r > 0, !!wanted_nick);
        if (!wanted_nick)
                return;
        assert_string_equal(nick, wanted_nick);
        assert_string_equal(channel, "#test");
        assert_int_equal(reverts, wanted_reverts);
        assert_true(left > 500 * SEC && left <= 600 * SEC);
}

/* Whose requests cost too many reverts is refused, and nobody else; a reload does not forget it. */
static void test_who_costs_reverts(void **state) {
        static const char limit[] = ", \"reverts-per-nick\": {\"count\": 2, \"seconds\": 600}";
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        write_node(w, "node.xml", NODE_RUNNING, "1");
        configure_with(w, "", limit);
        world_start(w);
        world_wait_status(w, "vm ready");
        sd_bus *bus = world_connect(w);
        cost(bus, "joe", "timed-out");
        cost(bus, "joe", "clean");
        cost(bus, "joe", "unsent");
        cost(bus, "", "killed");
        cost(bus, "", "killed");
        cost(bus, "ann", "killed");
        assert_refused(bus, NULL, 0);
        cost(bus, "joe", "protocol-error");
        for (int i = 0; i < 3; i++)
                assert_string_equal(lease_as(bus, "joe", &held), ERROR "TooManyReverts");
        assert_refused(bus, "joe", 2);
        cost(bus, "ann", "clean");
        cost(bus, "", "killed");
        assert_int_equal(world_log_count(w, "joe is refused for"), 1);

        configure_with(w, ", \"timeout\": 7", limit);
        assert_null(client_call(bus, NULL, "Reload", NULL));
        assert_string_equal(lease_as(bus, "joe", &held), ERROR "TooManyReverts");
        assert_int_equal(world_log_count(w, "joe is refused for"), 1);
        configure(w, "");
        assert_null(client_call(bus, NULL, "Reload", NULL));
        cost(bus, "joe", "clean");
        assert_refused(bus, NULL, 0);
        sd_bus_flush_close_unref(bus);
}

/* What the last lease left behind is reverted before the service ends. */
static void test_end_while_dirty(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        sd_bus *bus = start(w, "");
        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;

        while (world_log_count(w, "Connected to libvirt") == 0 && now_monotonic() < deadline)
                usleep(10000);
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_int_equal(kill(w->watchdog_pid, SIGTERM), 0);
        world_wait_count(w, &w->stops, 1);
        assert_null(client_release(bus, &held, "timed-out"));
        int status = world_wait_end(w);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        sd_bus_flush_close_unref(bus);

        world_start(w);
        world_wait_status(w, "vm ready");
        bus = world_connect(w);
        assert_int_equal(machine_number(bus, "Reverts"), 0);
        assert_true(machine_number(bus, "Generation") > held.generation);
        sd_bus_flush_close_unref(bus);
}

/* The sign of life goes over libvirt's thread and the workers. */
static void test_pings(void **state) {
        World *w = *state;

        world_set(w, "WATCHDOG_USEC", "400000");
        sd_bus *bus = start(w, "");
        world_wait_count(w, &w->pings, 3);
        sd_bus_flush_close_unref(bus);
}

int main(void) {
#define test_in_world(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        const struct CMUnitTest tests[] = {
                test_in_world(test_brought_up_when_off),
                test_in_world(test_outcomes_revert),
                test_in_world(test_contained_jobs_do_not_revert),
                test_in_world(test_policies),
                test_in_world(test_on_hang_with_a_hang),
                test_in_world(test_heartbeat_lost),
                test_in_world(test_operators),
                test_in_world(test_missing_things),
                test_in_world(test_who_costs_reverts),
                test_in_world(test_half_replaced_snapshot),
                test_in_world(test_revert_with_an_obstacle),
                test_in_world(test_reload_gives_up_connections),
                test_in_world(test_libvirt_away),
                test_in_world(test_number_of_requests),
                test_in_world(test_end_while_dirty),
                test_in_world(test_pings),
        };
        cmocka_set_test_filter(getenv("PBOTVM_TEST_FILTER"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
