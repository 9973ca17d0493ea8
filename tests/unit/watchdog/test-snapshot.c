/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Replacing a snapshot, with libvirt's test driver: what is taken is tried before the old one goes. */

#include <signal.h>
#include <stdio.h>

#include "common/io.h"
#include "common/text.h"
#include "node.h"
#include "test.h"

#define LONG (20 * SEC)
/* The watchdog with a running domain that has snapshot "1", ready. */
static sd_bus *start(World *w, const char *members) {
        const char *const names[] = { "vm", NULL };
        _cleanup_text_ Text machine = {};

        node_write(w, "node.xml", names, NODE_RUNNING, "1");
        text_append_printf(&machine, "\"uri\": \"test://%s/node.xml\"%s", w->directory, members);
        world_configure(w, text_string(&machine), "");
        world_start(w);
        world_wait_status(w, "vm ready");
        sd_bus *bus = world_connect(w);
        /* Before libvirt was heard nothing is known that could be taken. */
        world_wait_log(w, "Connected to libvirt");
        usleep(100000);
        return bus;
}

static void wait_reason(sd_bus *bus, const char *reason) {
        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;

        while (!streq(machine_string(bus, "StateReason"), reason) && now_monotonic() < deadline)
                usleep(1000);
        assert_string_equal(machine_string(bus, "StateReason"), reason);
}

static void wait_taken(sd_bus *bus, uint64_t at_least) {
        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;

        while (machine_number(bus, "SnapshotUSec") < at_least && now_monotonic() < deadline)
                usleep(1000);
        assert_true(machine_number(bus, "SnapshotUSec") >= at_least);
}

static void serves(World *w, sd_bus *bus) {
        _cleanup_held_ Held held = { .fd = -EBADF };

        assert_null(client_lease(bus, "vm", LONG, &held));
        held_echo(&held, "works");
        assert_null(client_release(bus, &held, "clean"));
        world_wait_status(w, "vm ready");
}

static uint64_t trials(sd_bus *bus) {
        return machine_counted(bus, "RevertsByReason", "trial");
}

/* Both of the two that are taken are tried, what came meanwhile is served, and it is shown what is in force.
 */
static void test_replaced(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, ""), *other = world_connect(w);
        _cleanup_held_ Held held = { .fd = -EBADF };
        uint64_t generation = machine_number(bus, "Generation");
        Pending snapshot, lease;

        wait_taken(bus, SEC); /* the old one's, in 1970 */
        assert_string_equal(machine_string(bus, "SnapshotMadeBy"), "");
        client_snapshot_begin(bus, "vm", &snapshot);
        client_lease_begin(other, "vm", LONG, &lease);
        assert_null(client_wait_done(bus, &snapshot));
        assert_int_equal(trials(bus), 2);
        assert_true(machine_number(bus, "Generation") > generation);
        assert_int_equal(world_log_count(w, "Took snapshot '1' of vm."), 1);
        wait_taken(bus, 2 * SEC);
        assert_non_null(startswith(machine_string(bus, "SnapshotMadeBy"), "QEMU "));
        assert_null(client_wait(other, &lease, &held));
        held_echo(&held, "meanwhile");
        assert_null(client_release(other, &held, "clean"));

        assert_null(client_call(bus, "vm", "Revert", "because"));
        serves(w, bus);
        sd_bus_flush_close_unref(other);
        sd_bus_flush_close_unref(bus);
}

/* A guest that does not answer from its new snapshot gets the old one back. */
static void test_trial_fails(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, "");
        Pending snapshot;

        fake_guest_set(w->guest, FAKE_ANSWERS, false);
        fake_guest_set(w->guest, FAKE_BEATS, false);
        client_snapshot_begin(bus, "vm", &snapshot);
        assert_string_equal(client_wait_done(bus, &snapshot), SD_BUS_ERROR_FAILED);
        assert_int_equal(world_log_count(w, "Taking a snapshot of vm failed: reverted to it, the guest did "
                                            "not answer; the old one is in force."),
                1);
        assert_int_equal(world_log_count(w, "Took snapshot"), 0);
        fake_guest_set(w->guest, FAKE_ANSWERS, true);
        fake_guest_set(w->guest, FAKE_BEATS, true);
        serves(w, bus);
        assert_int_equal(trials(bus), 2); /* there and back */
        sd_bus_flush_close_unref(bus);
}

/* Closes a connection, and returns when the watchdog has been told. */
static void leave(sd_bus *bus, sd_bus *leaving) {
        char name[64];
        const char *unique = NULL;
        int owned = true;

        assert_true(sd_bus_get_unique_name(leaving, &unique) >= 0);
        (void)snprintf(name, sizeof(name), "%s", unique);
        sd_bus_flush_close_unref(leaving);
        while (owned) {
                sd_bus_message *reply = NULL;

                assert_true(sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                    "org.freedesktop.DBus", "NameHasOwner", NULL, &reply, "s", name) >= 0);
                assert_true(sd_bus_message_read(reply, "b", &owned) > 0);
                sd_bus_message_unref(reply);
        }
        /* Its answer comes after what the bus had told it before. */
        (void)machine_string(bus, "State");
}

/* Who asked for it goes away while it is tried: it is undone, and its guest serves. */
static void test_interrupted(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, ""), *other = world_connect(w);
        Pending snapshot;

        fake_guest_set(w->guest, FAKE_ANSWERS, false);
        client_snapshot_begin(other, "vm", &snapshot);
        wait_reason(bus, "the new snapshot is tried");
        sd_bus_slot_unref(snapshot.slot);
        leave(bus, other);
        fake_guest_set(w->guest, FAKE_ANSWERS, true);
        world_wait_log(
                w, "Taking a snapshot of vm failed: whoever asked for it is gone; the old one is in force.");
        serves(w, bus);
        assert_int_equal(trials(bus), 1);
        assert_null(client_call(bus, "vm", "Revert", "because"));
        sd_bus_flush_close_unref(bus);
}

/* The watchdog is ended at once in the middle of it: who waits is told, and what he has. */
static void test_watchdog_ends(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, "");
        Pending snapshot, revert;

        fake_guest_set(w->guest, FAKE_ANSWERS, false);
        client_snapshot_begin(bus, "vm", &snapshot);
        world_wait_log(w, "vm is reverted after"); /* a revert asked for before that is done by it */
        client_revert_begin(bus, "vm", &revert);   /* which waits for the end of that */
        wait_reason(bus, "the new snapshot is tried");
        assert_int_equal(kill(w->watchdog_pid, SIGTERM), 0);
        world_wait_count(w, &w->stops, 1);
        assert_int_equal(world_end(w, SIGTERM), 0);
        assert_string_equal(client_wait_done(bus, &snapshot), SD_BUS_ERROR_FAILED);
        assert_string_equal(client_wait_done(bus, &revert), SD_BUS_ERROR_FAILED);
        sd_bus_flush_close_unref(bus);
}

/* libvirt takes no name that no XML could have. It says so in several lines; what is made of that is one. */
static void test_cannot_be_taken(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, ", \"snapshot\": \"a\\u0001\"");
        Pending snapshot;

        client_snapshot_begin(bus, "vm", &snapshot);
        assert_string_equal(client_wait_done(bus, &snapshot), SD_BUS_ERROR_FAILED);
        assert_int_equal(world_log_count(w, "Taking a snapshot of vm failed: it could not be taken: "), 1);
        assert_true(world_log_has_line(w, "it could not be taken: ", "; what was there before is in force"));
        serves(w, bus);
        assert_int_equal(trials(bus), 0);
        sd_bus_flush_close_unref(bus);
}

/* The first one of a machine has none to be beside. */
static void test_first(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, ", \"snapshot\": \"2\"");
        Pending snapshot;

        client_snapshot_begin(bus, "vm", &snapshot);
        assert_null(client_wait_done(bus, &snapshot));
        assert_int_equal(trials(bus), 1);
        assert_null(client_call(bus, "vm", "Revert", "because"));
        sd_bus_flush_close_unref(bus);
}

/* A machine that is never reverted is not reverted to try it either. */
static void test_never_reverted(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, ", \"policy\": \"never\"");
        Pending snapshot;

        client_snapshot_begin(bus, "vm", &snapshot);
        assert_null(client_wait_done(bus, &snapshot));
        assert_int_equal(trials(bus), 0);
        serves(w, bus);
        sd_bus_flush_close_unref(bus);
}

/* An operator works in a drained guest, which the policy does not take from him; when he is done it does. */
static void test_operator_in_a_drained_machine(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, ", \"policy\": \"always\"");

        assert_null(client_call(bus, "vm", "Drain", NULL));
        for (int i = 0; i < 2; i++) {
                _cleanup_held_ Held held = { .fd = -EBADF }, none = { .fd = -EBADF };

                assert_string_equal(client_lease(bus, "vm", LONG, &none), "org.pbot.VM1.Error.Offline");
                assert_null(client_lease_operator(bus, "vm", LONG, &held));
                assert_int_equal(held.timeout_usec, 120 * SEC);
                held_echo(&held, "drained");
                assert_null(client_release(bus, &held, "clean"));
        }
        assert_int_equal(machine_number(bus, "Reverts"), 0);
        assert_null(client_call(bus, "vm", "Resume", NULL));
        while (machine_counted(bus, "RevertsByReason", "policy") == 0)
                usleep(1000);
        sd_bus_flush_close_unref(bus);
}

int main(void) {
#define test_in_world(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        const struct CMUnitTest tests[] = {
                test_in_world(test_replaced),
                test_in_world(test_trial_fails),
                test_in_world(test_interrupted),
                test_in_world(test_watchdog_ends),
                test_in_world(test_cannot_be_taken),
                test_in_world(test_first),
                test_in_world(test_never_reverted),
                test_in_world(test_operator_in_a_drained_machine),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
