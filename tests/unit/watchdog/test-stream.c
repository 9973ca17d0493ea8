/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A machine that is reached through libvirt's streams, which are unix sockets here (fake-stream.c);
 * libvirt's test driver reverts it. */

#include "common/io.h"
#include "common/text.h"
#include "node.h"
#include "test.h"
#include "watchdog/machine.h"

#define LONG (20 * SEC)

static void start(World *w, bool lanes, FakeGuest **guest) {
        _cleanup_text_ Text text = {};

        node_write(w, "node.xml", (const char *const[]){ "vm", NULL }, NODE_RUNNING, "1");
        *guest = fake_guest_new(w->directory);
        fake_guest_set(*guest, FAKE_LANES, lanes);
        world_set(w, "PBOTVM_TEST_CHANNELS", w->directory);
        text_append_printf(&text,
                "{\"machines\": {\"vm\": {\"uri\": \"test://%s/node.xml\", \"transport\": \"stream\"}}}",
                w->directory);
        world_configure_whole(w, text_string(&text));
        world_start(w);
        world_wait_status(w, "vm ready");
}

/* Several at once, as over the channel's socket. */
static void test_leases(void **state) {
        World *w = *state;
        FakeGuest *guest;
        Held held[3];

        start(w, true, &guest);
        sd_bus *bus = world_connect(w);
        for (size_t i = 0; i < ELEMENTSOF(held); i++) {
                assert_null(client_lease(bus, "vm", LONG, &held[i]));
                assert_string_equal(held[i].transport, "stream");
        }
        for (size_t i = 0; i < ELEMENTSOF(held); i++) {
                assert_null(client_release(bus, &held[i], "clean"));
                assert_true(held_is_over(&held[i]));
                held_done(&held[i]);
        }
        sd_bus_flush_close_unref(bus);
        fake_guest_free(guest);
}

/* It hangs, is reverted, and serves again, over new streams. */
static void test_a_hang(void **state) {
        World *w = *state;
        FakeGuest *guest;
        Held held;

        start(w, false, &guest);
        sd_bus *bus = world_connect(w);
        fake_guest_set(guest, FAKE_BEATS, false);
        uint64_t begun = now_monotonic();
        while (machine_number(bus, "Reverts") == 0 && now_monotonic() < begun + LONG)
                usleep(SEC / 20);
        assert_int_equal(machine_number(bus, "Reverts"), 1);
        fake_guest_set(guest, FAKE_BEATS, true);
        world_wait_status(w, "vm ready");
        assert_null(client_lease(bus, "vm", LONG, &held));
        held_echo(&held, "again");
        assert_null(client_release(bus, &held, "clean"));
        held_done(&held);
        sd_bus_flush_close_unref(bus);
        fake_guest_free(guest);
}

/* Who holds it when the stream ends is told so at once. */
static void test_the_end_of_a_stream(void **state) {
        World *w = *state;
        FakeGuest *guest;
        Held held;

        start(w, false, &guest);
        sd_bus *bus = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));
        fake_guest_set(guest, FAKE_UP, false);
        assert_true(held_is_over(&held));
        assert_null(client_release(bus, &held, "lost"));
        held_done(&held);
        /* Why it cannot be opened again is libvirt's word. */
        uint64_t begun = now_monotonic();
        while (!world_log_has_line(w, "Channel org.pbot.vm.0 of domain vm", "trying on: Domain not found") &&
                now_monotonic() < begun + LONG)
                usleep(SEC / 20);
        assert_true(
                world_log_has_line(w, "Channel org.pbot.vm.0 of domain vm", "trying on: Domain not found"));
        fake_guest_set(guest, FAKE_UP, true);
        world_wait_status(w, "vm ready");
        sd_bus_flush_close_unref(bus);
        fake_guest_free(guest);
}

int main(void) {
#define test_in_world(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        const struct CMUnitTest tests[] = {
                test_in_world(test_leases),
                test_in_world(test_a_hang),
                test_in_world(test_the_end_of_a_stream),
        };
        cmocka_set_test_filter(getenv("PBOTVM_TEST_FILTER"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
