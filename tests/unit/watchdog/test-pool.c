/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An alias that names two machines: which one a request gets, and that it waits for neither while the other
 * is ready. libvirt's test driver reverts them. */

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/io.h"
#include "common/text.h"
#include "node.h"
#include "test.h"
#include "watchdog/machine.h"

#define LONG (20 * SEC)
/* A lease of a machine that is ready; a revert, or a probe of a guest that is silent, takes longer. */
#define AT_ONCE (1 * SEC)

/* The pool "both" of two machines: "vm", which is named first, and "b". */
typedef struct Pool {
        World *world;
        FakeGuest *guests[2];
        sd_bus *bus;
} Pool;

static int pool_setup(void **state) {
        Pool *p = calloc(1, sizeof(*p));
        assert_non_null(p);
        void *world;

        assert_int_equal(world_setup(&world), 0);
        p->world = world;
        *state = p;
        return 0;
}

static int pool_teardown(void **state) {
        Pool *p = *state;
        void *world = p->world;

        sd_bus_flush_close_unref(p->bus);
        for (size_t i = 0; i < ELEMENTSOF(p->guests); i++)
                if (p->guests[i] && p->guests[i] != p->world->guest)
                        fake_guest_free(p->guests[i]);
        (void)world_teardown(&world);
        free(p);
        return 0;
}

static void start_world(Pool *p) {
        world_start(p->world);
        world_wait_status(p->world, "vm ready");
        world_wait_status(p->world, "b ready");
        p->bus = world_connect(p->world);
}

/* Over serial lines, where a machine runs one request at a time. */
static void start(Pool *p, const char *members) {
        const char *directory = p->world->directory;
        _cleanup_text_ Text machines = {};

        node_write(p->world, "node.xml", (const char *const[]){ "vm", "b", NULL }, NODE_RUNNING, "1");
        p->guests[0] = p->world->guest;
        p->guests[1] = fake_guest_new(NULL);
        text_append_printf(&machines,
                "\"uri\": \"test://%s/node.xml\"%s}, \"b\": {\"serial\": %i, \"heart\": %i, "
                "\"channel\": null, \"channel-heart\": null, \"uri\": \"test://%s/node.xml\"%s",
                directory, members, fake_guest_data_port(p->guests[1]), fake_guest_heart_port(p->guests[1]),
                directory, members);
        world_configure(p->world, text_string(&machines), ", \"aliases\": {\"both\": [\"vm\", \"b\"]}");
        start_world(p);
}

static void lease(Pool *p, const char *machine, uint64_t wait_usec, Held *ret) {
        assert_null(client_lease(p->bus, machine, wait_usec, ret));
        held_echo(ret, "own");
}

static void give_back(Pool *p, Held *held, const char *outcome) {
        assert_null(client_release(p->bus, held, outcome));
        held_done(held);
}

/* The first that is named, while it is free; whoever comes when none is waits for the first that will be. */
static void test_in_turn(void **state) {
        Pool *p = *state;
        Held held[2] = { { .fd = -EBADF }, { .fd = -EBADF } };
        _cleanup_held_ Held late = { .fd = -EBADF };
        Pending pending;

        start(p, ", \"policy\": \"on-failure\"");
        for (int i = 0; i < 2; i++) {
                lease(p, "both", AT_ONCE, &held[0]);
                assert_string_equal(held[0].machine, "vm");
                lease(p, "both", AT_ONCE, &held[1]);
                assert_string_equal(held[1].machine, "b");
                client_lease_begin(p->bus, "both", LONG, &pending);
                give_back(p, &held[1 - i], "clean");
                assert_null(client_wait(p->bus, &pending, &late));
                assert_string_equal(late.machine, i ? "vm" : "b");
                give_back(p, &late, "clean");
                give_back(p, &held[i], "clean");
        }
}

/* One that would have to prove itself first is not even asked while another need not. */
static void test_who_has_proven_himself(void **state) {
        Pool *p = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        start(p, "");
        usleep(MACHINE_FRESH_USEC + SEC / 5);
        lease(p, "b", LONG, &held);
        give_back(p, &held, "clean");
        unsigned asked = fake_guest_requests(p->guests[0]);
        lease(p, "both", AT_ONCE, &held);
        assert_string_equal(held.machine, "b");
        assert_int_equal(fake_guest_requests(p->guests[0]), asked);
        give_back(p, &held, "clean");

        /* Where none has, all are asked: the one that answers does. */
        usleep(MACHINE_FRESH_USEC + SEC / 5);
        fake_guest_set(p->guests[0], FAKE_ANSWERS, false);
        lease(p, "both", AT_ONCE, &held);
        assert_string_equal(held.machine, "b");
}

/* Machines that take several at once are filled alike: whoever breaks his guest meets few others there. */
static void test_who_has_fewer(void **state) {
        static const char *const wanted[] = { "vm", "b", "vm", "b" };
        Pool *p = *state;
        Held held[ELEMENTSOF(wanted)];
        _cleanup_text_ Text text = {};

        text_append_string(&text, "{\"machines\": {");
        for (size_t i = 0; i < ELEMENTSOF(p->guests); i++) {
                char directory[128];

                snprintf(directory, sizeof(directory), "%s/%zu", p->world->directory, i);
                assert_int_equal(mkdir(directory, 0700), 0);
                p->guests[i] = fake_guest_new(directory);
                fake_guest_set(p->guests[i], FAKE_LANES, true);
                text_append_printf(&text,
                        "%s\"%s\": {\"domain\": null, \"slots\": 2, \"channel\": \"%s/data\", "
                        "\"channel-heart\": \"%s/heart\"}",
                        i > 0 ? ", " : "", wanted[i], directory, directory);
        }
        text_append_string(
                &text, "}, \"aliases\": {\"both\": [\"vm\", \"b\"]}, \"default-machine\": \"both\"}");
        world_configure_whole(p->world, text_string(&text));
        start_world(p);
        for (size_t i = 0; i < ELEMENTSOF(wanted); i++) {
                assert_null(client_lease(p->bus, "both", LONG, &held[i]));
                assert_string_equal(held[i].machine, wanted[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(wanted); i++)
                give_back(p, &held[i], "clean");
}

/* A revert that takes long, here since the new guest does not answer, is nobody's business but its
 * machine's. */
static void test_nobody_waits_for_a_revert(void **state) {
        Pool *p = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        start(p, "");
        lease(p, "both", LONG, &held);
        assert_string_equal(held.machine, "vm");
        fake_guest_set(p->guests[0], FAKE_ANSWERS, false);
        give_back(p, &held, "timed-out");
        for (int i = 0; i < 5; i++) {
                lease(p, "both", AT_ONCE, &held);
                assert_string_equal(held.machine, "b");
                give_back(p, &held, "clean");
        }
        world_wait_status(p->world, "vm starting");
        assert_int_equal(machine_number(p->bus, "Reverts"), 1);

        /* It comes back by itself, and serves the others while the second is reverted. */
        fake_guest_set(p->guests[0], FAKE_ANSWERS, true);
        world_wait_status(p->world, "vm ready");
        lease(p, "b", LONG, &held);
        fake_guest_set(p->guests[1], FAKE_ANSWERS, false);
        give_back(p, &held, "killed");
        lease(p, "both", AT_ONCE, &held);
        assert_string_equal(held.machine, "vm");
}

/* Guests that have had their time are not all reverted at once. */
static void test_one_serves_on(void **state) {
        Pool *p = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        uint64_t generation = 0;

        start(p, ", \"max-requests\": 2");
        for (int i = 0; i < 2; i++) {
                lease(p, "vm", LONG, &held);
                if (i == 1)
                        fake_guest_set(p->guests[0], FAKE_ANSWERS, false);
                give_back(p, &held, "clean");
        }
        world_wait_status(p->world, "vm starting");
        for (int i = 0; i < 4; i++) {
                lease(p, "both", AT_ONCE, &held);
                assert_string_equal(held.machine, "b");
                assert_true(i == 0 || held.generation == generation);
                generation = held.generation;
                give_back(p, &held, "clean");
        }
        /* When the other is back, it is its turn. */
        fake_guest_set(p->guests[0], FAKE_ANSWERS, true);
        world_wait_status(p->world, "vm ready");
        usleep(MACHINE_WORN_AGAIN_USEC + SEC / 2);
        lease(p, "b", LONG, &held);
        assert_true(held.generation > generation);
}

/* Each request has a guest that nobody has used, and none waits for the revert after the one before. */
static void test_always(void **state) {
        Pool *p = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        uint64_t last[2] = {};

        start(p, ", \"policy\": \"always\"");
        for (unsigned i = 0; i < 8; i++) {
                size_t at = i % 2;

                lease(p, "both", AT_ONCE, &held);
                assert_string_equal(held.machine, at ? "b" : "vm");
                assert_true(held.generation > last[at]);
                last[at] = held.generation;
                /* The one that was used before is reverted by now, and this one takes its time. */
                fake_guest_set(p->guests[at], FAKE_ANSWERS, false);
                fake_guest_set(p->guests[1 - at], FAKE_ANSWERS, true);
                give_back(p, &held, "clean");
                world_wait_status(p->world, at ? "vm ready" : i == 0 ? "vm starting" : "b ready");
        }
        fake_guest_set(p->guests[1], FAKE_ANSWERS, true);
        world_wait_status(p->world, "b ready");
        assert_int_equal(machine_number(p->bus, "Reverts"), 4);
}

/* Nor does anybody share it, though its agent would take several at once. */
static void test_always_alone(void **state) {
        static const struct {
                const char *policy;
                const char *error;
        } table[] = {
                { "on-failure", "" },
                { "always", "org.pbot.VM1.Error.Busy" },
        };
        Pool *p = *state;

        p->guests[0] = fake_guest_new(p->world->directory);
        fake_guest_set(p->guests[0], FAKE_LANES, true);
        node_write(p->world, "node.xml", (const char *const[]){ "vm", NULL }, NODE_RUNNING, "1");
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_held_ Held held = { .fd = -EBADF }, second = { .fd = -EBADF };
                _cleanup_text_ Text text = {};

                text_append_printf(&text,
                        "{\"machines\": {\"vm\": {\"uri\": \"test://%s/node.xml\", \"slots\": 2, "
                        "\"policy\": \"%s\", \"channel\": \"%s/data\", \"channel-heart\": \"%s/heart\"}}}",
                        p->world->directory, table[i].policy, p->world->directory, p->world->directory);
                world_configure_whole(p->world, text_string(&text));
                world_start(p->world);
                world_wait_status(p->world, "vm ready");
                p->bus = world_connect(p->world);
                assert_null(client_lease(p->bus, "vm", LONG, &held));
                const char *error = client_lease(p->bus, "vm", SEC / 5, &second);
                assert_string_equal(error ?: "", table[i].error);
                p->bus = sd_bus_flush_close_unref(p->bus);
                (void)world_end(p->world, SIGKILL);
        }
}

int main(void) {
#define test_in_pool(name) cmocka_unit_test_setup_teardown(name, pool_setup, pool_teardown)
        const struct CMUnitTest tests[] = {
                test_in_pool(test_in_turn),
                test_in_pool(test_who_has_proven_himself),
                test_in_pool(test_who_has_fewer),
                test_in_pool(test_nobody_waits_for_a_revert),
                test_in_pool(test_one_serves_on),
                test_in_pool(test_always),
                test_in_pool(test_always_alone),
        };
        cmocka_set_test_filter(getenv("PBOTVM_TEST_FILTER"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
