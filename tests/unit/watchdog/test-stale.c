/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A snapshot from before an upgrade, with libvirt's test driver: it is tried when nobody needs the machine,
 * and made anew where it does not work. */

#include "common/text.h"
#include "node.h"
#include "test.h"

#define BEFORE "Taken by pbotvm: qemu=1.0.0 libvirt=1.0.0 cpu=486"

/* The watchdog with a running domain that has snapshot "1", made with that, ready. */
static sd_bus *start(World *w, const char *description, const char *members) {
        const char *const names[] = { "vm", NULL };
        _cleanup_text_ Text machine = {};

        node_write_described(w, "node.xml", names, NODE_RUNNING, "1", description);
        text_append_printf(&machine, "\"uri\": \"test://%s/node.xml\"%s", w->directory, members);
        world_configure(w, text_string(&machine), "");
        world_start(w);
        world_wait_status(w, "vm ready");
        return world_connect(w);
}

static void serves(World *w, sd_bus *bus) {
        _cleanup_held_ Held held = { .fd = -EBADF };

        assert_null(client_lease(bus, "vm", 20 * SEC, &held));
        held_echo(&held, "works");
        assert_null(client_release(bus, &held, "clean"));
        world_wait_status(w, "vm ready");
}

/* It is told at once, and tried once; who needs the machine meanwhile has it. */
static void test_works(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, BEFORE, "");

        world_wait_log(
                w, "vm: its snapshot was taken with QEMU 1.0.0, libvirt 1.0.0, CPU 486, and here is QEMU ");
        assert_string_equal(machine_string(bus, "SnapshotMadeBy"), "QEMU 1.0.0, libvirt 1.0.0, CPU 486");
        serves(w, bus);
        assert_int_equal(machine_number(bus, "Reverts"), 0);
        world_wait_log(w, "vm: its snapshot works with QEMU ");
        assert_int_equal(machine_counted(bus, "RevertsByReason", "trial"), 1);
        assert_null(client_call(bus, "vm", "Revert", "because"));
        serves(w, bus);
        assert_int_equal(world_log_count(w, "its snapshot was taken with"), 1);
        assert_int_equal(world_log_count(w, "its snapshot works with"), 1);
        sd_bus_flush_close_unref(bus);
}

/* It loads, and its guest is dead: what is booted cold in its place is not used before its snapshot is
 * there. */
static void test_does_not_live(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, BEFORE, ""), *other = world_connect(w);
        _cleanup_held_ Held held = { .fd = -EBADF };
        Pending lease;

        world_wait_log(w, "its snapshot was taken with");
        fake_guest_set(w->guest, FAKE_BEATS, false);
        fake_guest_set(w->guest, FAKE_ANSWERS, false);
        assert_null(client_call(bus, "vm", "Revert", "because"));
        world_wait_log(w, "vm: its snapshot does not work here; it is booted cold, for a new one.");
        world_wait_log(w, "vm is booted cold after ");
        client_lease_begin(other, "vm", 20 * SEC, &lease);
        fake_guest_set(w->guest, FAKE_BEATS, true);
        fake_guest_set(w->guest, FAKE_ANSWERS, true);
        assert_null(client_wait(other, &lease, &held));
        assert_int_equal(world_log_count(w, "Took snapshot '1' of vm."), 1);
        assert_null(client_release(other, &held, "clean"));
        assert_null(client_call(bus, "vm", "Revert", "because"));
        serves(w, bus);
        assert_null(strstr(machine_string(bus, "SnapshotMadeBy"), "486"));
        sd_bus_flush_close_unref(other);
        sd_bus_flush_close_unref(bus);
}

/* Where that is not wanted, a revert is tried as any other is. */
static void test_kept(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, BEFORE, ", \"stale-snapshot\": \"keep\"");

        world_wait_log(w, ": it is not tried before a revert is needed.");
        fake_guest_set(w->guest, FAKE_BEATS, false);
        fake_guest_set(w->guest, FAKE_ANSWERS, false);
        assert_null(client_call(bus, "vm", "Revert", "because"));
        world_wait_log(w, "vm: its snapshot does not work here; the revert is tried again.");
        fake_guest_set(w->guest, FAKE_BEATS, true);
        fake_guest_set(w->guest, FAKE_ANSWERS, true);
        world_wait_status(w, "vm ready");
        serves(w, bus);
        sd_bus_flush_close_unref(bus);
}

/* One that does not tell who made it is as good as any. */
static void test_unknown(void **state) {
        World *w = *state;
        sd_bus *bus = start(w, "by hand", "");

        assert_null(client_call(bus, "vm", "Revert", "because"));
        serves(w, bus);
        assert_int_equal(world_log_count(w, "its snapshot"), 0);
        sd_bus_flush_close_unref(bus);
}

int main(void) {
#define test_in_world(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        const struct CMUnitTest tests[] = {
                test_in_world(test_works),
                test_in_world(test_does_not_live),
                test_in_world(test_kept),
                test_in_world(test_unknown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
