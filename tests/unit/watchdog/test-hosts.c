/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Machines whose libvirt is on another host. */

#include "common/io.h"
#include "test.h"
#include "world.h"

/* Its guest is reached by the address that is configured, and what is in the way to its libvirt is told,
 * even of a machine that serves. */
static void test_a_host_that_refuses(void **state) {
        World *w = *state;

        world_configure(w, "\"addr\": \"127.0.0.1\", \"uri\": \"qemu+tcp://127.0.0.1:1/system\"", "");
        world_start(w);
        world_wait_status(w, "vm ready");
        sd_bus *bus = world_connect(w);
        const char *reason = "";
        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;
        while (!*(reason = machine_string(bus, "StateReason")) && now_monotonic() < deadline)
                usleep(SEC / 20);
        if (!startswith(reason, "nobody listens for libvirt on 127.0.0.1: "))
                fail_msg("the reason is '%s'", reason);
        assert_string_equal(machine_string(bus, "Transport"), "serial");
        sd_bus_flush_close_unref(bus);
}

int main(void) {
#define test_in_world(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        const struct CMUnitTest tests[] = {
                test_in_world(test_a_host_that_refuses),
        };
        cmocka_set_test_filter(getenv("PBOTVM_TEST_FILTER"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
