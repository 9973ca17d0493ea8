/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who may do what: polkit allows, denies, would ask, takes its time, is not there. */

#include <sys/stat.h>
#include <unistd.h>

#include "fake-polkit.h"
#include "test.h"
#include "watchdog/bus/denials.h"

#define ERROR "org.pbot.VM1.Error."
#define LONG (20 * SEC)

/* The watchdog, trusting nobody: polkit decides about everybody. */
static sd_bus *start(World *w) {
        world_set(w, "PBOTVM_TEST_TRUST_NOBODY", "1");
        world_start_ready(w, "\"domain\": null");
        return world_connect(w);
}

static void test_trusted_without_polkit(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        world_start_ready(w, "\"domain\": null");
        sd_bus *bus = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_null(client_call(bus, "vm", "Drain", NULL));
        assert_null(client_call(bus, "vm", "Resume", NULL));
        assert_null(client_call(bus, NULL, "Reload", NULL));
        sd_bus_flush_close_unref(bus);
}

static void test_absent_polkit_means_denied(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        sd_bus *bus = start(w);

        assert_string_equal(client_lease(bus, "vm", LONG, &held), SD_BUS_ERROR_ACCESS_DENIED);
        assert_string_equal(client_call(bus, "vm", "Revert", "why"), SD_BUS_ERROR_ACCESS_DENIED);
        assert_string_equal(client_call(bus, "vm", "Snapshot", NULL), SD_BUS_ERROR_ACCESS_DENIED);
        assert_string_equal(client_call(bus, "vm", "Drain", NULL), SD_BUS_ERROR_ACCESS_DENIED);
        assert_string_equal(client_call(bus, "vm", "Resume", NULL), SD_BUS_ERROR_ACCESS_DENIED);
        assert_string_equal(client_call(bus, NULL, "Reload", NULL), SD_BUS_ERROR_ACCESS_DENIED);
        /* Reading is free. */
        assert_null(client_call(bus, NULL, "ListMachines", NULL));
        assert_string_equal(machine_string(bus, "State"), "ready");
        assert_int_equal(machine_number(bus, "Requests"), 0);
        sd_bus_flush_close_unref(bus);
}

static void test_each_method_has_its_action(void **state) {
        static const struct {
                const char *machine;
                const char *member;
                const char *argument;
                const char *action;
        } table[] = {
                { "vm", "Revert", "why", "org.pbot.VM1.revert" },
                { "vm", "Snapshot", NULL, "org.pbot.VM1.snapshot" },
                { "vm", "Drain", NULL, "org.pbot.VM1.manage" },
                { "vm", "Resume", NULL, "org.pbot.VM1.manage" },
                { NULL, "Reload", NULL, "org.pbot.VM1.manage" },
        };
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        sd_bus *bus = start(w);
        FakePolkit *polkit = fake_polkit_new(w, FAKE_DENY);
        const char *name;

        assert_true(sd_bus_get_unique_name(bus, &name) >= 0);
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                assert_string_equal(client_call(bus, table[i].machine, table[i].member, table[i].argument),
                        SD_BUS_ERROR_ACCESS_DENIED);
                assert_string_equal(fake_polkit_action(polkit), table[i].action);
                assert_string_equal(fake_polkit_subject(polkit), name);
        }
        assert_string_equal(client_lease(bus, "vm", LONG, &held), SD_BUS_ERROR_ACCESS_DENIED);
        assert_string_equal(fake_polkit_action(polkit), "org.pbot.VM1.use");
        assert_string_equal(machine_string(bus, "State"), "ready");
        fake_polkit_free(polkit);
        sd_bus_flush_close_unref(bus);
}

static void test_allowed(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        sd_bus *bus = start(w);
        FakePolkit *polkit = fake_polkit_new(w, FAKE_ALLOW);

        assert_null(client_lease(bus, "vm", LONG, &held));
        held_echo(&held, "allowed");
        assert_null(client_release(bus, &held, "clean"));
        assert_null(client_call(bus, "vm", "Drain", NULL));
        assert_string_equal(machine_string(bus, "State"), "drained");
        fake_polkit_free(polkit);
        sd_bus_flush_close_unref(bus);
}

static void test_would_have_to_ask(void **state) {
        World *w = *state;
        sd_bus *bus = start(w);
        FakePolkit *polkit = fake_polkit_new(w, FAKE_CHALLENGE);

        assert_string_equal(
                client_call(bus, "vm", "Drain", NULL), SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
        assert_string_equal(machine_string(bus, "State"), "ready");
        fake_polkit_free(polkit);
        sd_bus_flush_close_unref(bus);
}

/* While polkit takes its time, nobody else waits; then the call goes on. */
static void test_waiting(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        Pending pending;
        sd_bus *bus = start(w), *other = world_connect(w);
        FakePolkit *polkit = fake_polkit_new(w, FAKE_WAIT);

        client_lease_begin(bus, "vm", LONG, &pending);
        fake_polkit_wait_questions(polkit, 1);
        assert_string_equal(machine_string(other, "State"), "ready");
        assert_int_equal(machine_count(other, "Queue"), 0);
        fake_polkit_set(polkit, FAKE_ALLOW);
        assert_null(client_wait(bus, &pending, &held));
        held_echo(&held, "after-all");
        fake_polkit_free(polkit);
        sd_bus_flush_close_unref(other);
        sd_bus_flush_close_unref(bus);
}

/* Nobody fills the room that others need to be let in, over however many connections; that he is refused is
 * told once. */
static void test_questions_are_bounded(void **state) {
        World *w = *state;
        sd_bus *bus = start(w), *other = world_connect(w);
        FakePolkit *polkit = fake_polkit_new(w, FAKE_WAIT);
        Pending pending[8];

        for (size_t i = 0; i < ELEMENTSOF(pending); i++)
                client_revert_begin(bus, "vm", &pending[i]);
        fake_polkit_wait_questions(polkit, ELEMENTSOF(pending));
        for (int i = 0; i < 20; i++) {
                assert_string_equal(
                        client_call(bus, "vm", "Revert", "one more"), SD_BUS_ERROR_LIMITS_EXCEEDED);
                assert_string_equal(
                        client_call(other, "vm", "Revert", "another's"), SD_BUS_ERROR_LIMITS_EXCEEDED);
        }
        assert_int_equal(world_log_count(w, "is refused Revert"), 1);
        for (size_t i = 0; i < ELEMENTSOF(pending); i++)
                sd_bus_slot_unref(pending[i].slot);
        sd_bus_flush_close_unref(bus);
        fake_polkit_wait_cancelled(polkit, ELEMENTSOF(pending));
        sd_bus_flush_close_unref(other);
        fake_polkit_free(polkit);
}

/* Another user's questions are asked all the same. */
static void test_questions_of_two_users(void **state) {
        World *w = *state;
        const uid_t own = geteuid();

        if (own != 0)
                skip();
        sd_bus *bus = start(w);
        FakePolkit *polkit = fake_polkit_new(w, FAKE_WAIT);
        Pending pending[9];

        for (size_t i = 0; i < ELEMENTSOF(pending); i++)
                client_revert_begin(bus, "vm", &pending[i]);
        fake_polkit_wait_questions(polkit, 8);
        assert_int_equal(chmod(w->directory, 0711), 0);
        assert_int_equal(seteuid(65534), 0);
        sd_bus *other = world_connect(w);
        Pending others;
        client_revert_begin(other, "vm", &others);
        assert_int_equal(seteuid(own), 0);
        fake_polkit_wait_questions(polkit, 9);
        fake_polkit_set(polkit, FAKE_DENY);
        assert_string_equal(client_wait_done(other, &others), SD_BUS_ERROR_ACCESS_DENIED);
        for (size_t i = 0; i < ELEMENTSOF(pending); i++)
                sd_bus_slot_unref(pending[i].slot);
        sd_bus_flush_close_unref(other);
        sd_bus_flush_close_unref(bus);
        fake_polkit_free(polkit);
}

static void test_denials_are_told_once_in_a_while(void **state _unused_) {
        Denials d = {};
        unsigned untold = 7;

        assert_true(denials_note(&d, 1000, SEC, &untold));
        assert_int_equal(untold, 0);
        for (int i = 0; i < 5; i++)
                assert_false(denials_note(&d, 1000, 2 * SEC, &untold));
        assert_true(denials_note(&d, 1001, 2 * SEC, &untold));
        assert_true(denials_note(&d, 1000, SEC + DENIALS_USEC, &untold));
        assert_int_equal(untold, 5);
        /* More users than are remembered: the longest ago is forgotten. */
        for (uid_t uid = 2000; uid < 2000 + DENIALS_MAX; uid++)
                assert_true(denials_note(&d, uid, 2 * DENIALS_USEC, &untold));
        assert_false(denials_note(&d, 2000, 2 * DENIALS_USEC, &untold));
        assert_true(denials_note(&d, 1001, 2 * DENIALS_USEC, &untold));
}

/* Whoever leaves while polkit thinks is asked about no more, and gets no lease. */
static void test_caller_vanished(void **state) {
        World *w = *state;
        Pending pending;
        sd_bus *bus = start(w), *other = world_connect(w);
        FakePolkit *polkit = fake_polkit_new(w, FAKE_WAIT);

        client_lease_begin(bus, "vm", LONG, &pending);
        fake_polkit_wait_questions(polkit, 1);
        sd_bus_slot_unref(pending.slot);
        sd_bus_close_unref(bus);
        fake_polkit_wait_cancelled(polkit, 1);
        fake_polkit_set(polkit, FAKE_ALLOW);
        assert_string_equal(machine_string(other, "State"), "ready");
        assert_int_equal(machine_number(other, "Requests"), 0);
        fake_polkit_free(polkit);
        sd_bus_flush_close_unref(other);
}

int main(void) {
#define test_in_world(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        const struct CMUnitTest tests[] = {
                test_in_world(test_trusted_without_polkit),
                test_in_world(test_absent_polkit_means_denied),
                test_in_world(test_each_method_has_its_action),
                test_in_world(test_allowed),
                test_in_world(test_would_have_to_ask),
                test_in_world(test_waiting),
                test_in_world(test_questions_are_bounded),
                test_in_world(test_questions_of_two_users),
                cmocka_unit_test(test_denials_are_told_once_in_a_while),
                test_in_world(test_caller_vanished),
        };
        cmocka_set_test_filter(getenv("PBOTVM_TEST_FILTER"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
