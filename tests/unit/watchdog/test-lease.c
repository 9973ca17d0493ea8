/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Leases, end to end: the real watchdog on a bus of its own, machines without a domain. */

#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/io.h"
#include "test.h"
#include "world.h"

#define ERROR "org.pbot.VM1.Error."
#define NO_DOMAIN "\"domain\": null"
#define LONG (20 * SEC)

static void test_one_request(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        world_start_ready(w, NO_DOMAIN ", \"timeout\": 7");
        sd_bus *bus = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_string_equal(held.guest, "pbotvm");
        assert_string_equal(held.transport, "serial");
        assert_int_equal(held.timeout_usec, 7 * SEC);
        assert_int_equal(held.generation, machine_number(bus, "Generation"));
        assert_string_equal(machine_string(bus, "State"), "busy");
        held_echo(&held, "hello");
        assert_null(client_release(bus, &held, "clean"));
        assert_true(held_is_over(&held));
        assert_string_equal(machine_string(bus, "State"), "ready");
        assert_int_equal(machine_number(bus, "Requests"), 1);
        assert_int_equal(machine_number(bus, "Generation"), held.generation);
        assert_string_equal(machine_string(bus, "LastBeat"), "pbotvm 1");
        assert_true(machine_number(bus, "HeartbeatAgeUSec") < 2 * SEC);
        sd_bus_flush_close_unref(bus);
        int status = world_end(w, SIGTERM);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_who_cannot_be_leased(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w);
        assert_string_equal(client_lease(bus, "nobody", LONG, &held), ERROR "NoSuchMachine");
        /* Of a name that is too long to be shown whole characters are. */
        char name[300];
        snprintf(name, sizeof(name), "%0199i\xC3\xA9\xC3\xA9", 0);
        assert_string_equal(client_lease(bus, name, LONG, &held), ERROR "NoSuchMachine");

        assert_null(client_call(bus, "vm", "Drain", NULL));
        assert_string_equal(machine_string(bus, "State"), "drained");
        assert_string_equal(client_lease(bus, "vm", LONG, &held), ERROR "Offline");
        assert_null(client_call(bus, "vm", "Resume", NULL));
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_null(client_release(bus, &held, "clean"));

        /* Nobody accepts a connection, and nobody will bring it up. */
        fake_guest_set(w->guest, FAKE_UP, false);
        world_wait_status(w, "vm offline");
        held_done(&held);
        assert_string_equal(client_lease(bus, "vm", LONG, &held), ERROR "Offline");
        fake_guest_set(w->guest, FAKE_UP, true);
        world_wait_status(w, "vm ready");
        assert_null(client_lease(bus, "vm", LONG, &held));
        sd_bus_flush_close_unref(bus);
}

/* A machine that connects but does not beat is resetting. */
static void test_no_beats(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        world_start_ready(w, NO_DOMAIN ", \"heartbeat\": 1");
        sd_bus *bus = world_connect(w);
        fake_guest_set(w->guest, FAKE_BEATS, false);
        world_wait_status(w, "vm starting");
        assert_string_equal(client_lease(bus, "vm", SEC / 5, &held), ERROR "Resetting");
        fake_guest_set(w->guest, FAKE_BEATS, true);
        assert_null(client_lease(bus, "vm", LONG, &held));
        sd_bus_flush_close_unref(bus);
}

static void test_waiting_in_turn(void **state) {
        World *w = *state;
        sd_bus *bus[4];
        Held held[4] = { { -EBADF }, { -EBADF }, { -EBADF }, { -EBADF } };
        Pending second, third;

        world_configure(w, NO_DOMAIN, ", \"queue\": 2");
        world_start(w);
        world_wait_status(w, "vm ready");
        for (size_t i = 0; i < ELEMENTSOF(bus); i++)
                bus[i] = world_connect(w);

        assert_null(client_lease(bus[0], "vm", LONG, &held[0]));
        assert_string_equal(client_lease(bus[1], "vm", SEC / 5, &held[1]), ERROR "Busy");
        client_lease_begin(bus[1], "vm", LONG, &second);
        client_lease_begin(bus[2], "vm", LONG, &third);
        while (machine_count(bus[0], "Queue") < 2)
                usleep(1000);
        assert_string_equal(client_lease(bus[3], "vm", LONG, &held[3]), ERROR "Busy");

        /* An id is valid on its own connection alone. */
        assert_string_equal(client_release(bus[1], &held[0], "clean"), ERROR "Refused");
        assert_null(client_release(bus[0], &held[0], "clean"));
        assert_string_equal(client_release(bus[0], &held[0], "clean"), ERROR "Refused");
        assert_null(client_wait(bus[1], &second, &held[1]));
        held_echo(&held[1], "second");

        /* One who waits and goes leaves the queue. */
        sd_bus_slot_unref(third.slot);
        sd_bus_flush_close_unref(bus[2]);
        while (machine_count(bus[0], "Queue") > 0)
                usleep(1000);
        assert_null(client_release(bus[1], &held[1], "clean"));
        assert_null(client_lease(bus[3], "vm", LONG, &held[3]));

        for (size_t i = 0; i < ELEMENTSOF(bus); i++) {
                held_done(&held[i]);
                if (i != 2)
                        sd_bus_flush_close_unref(bus[i]);
        }
}

static void wait_queue(sd_bus *bus, uint32_t n) {
        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;

        while (machine_count(bus, "Queue") != n && now_monotonic() < deadline)
                usleep(1000);
        assert_int_equal(machine_count(bus, "Queue"), n);
}

/* One nick does not take the service: who has a lease waits behind those who have none. */
static void test_one_nick_among_others(void **state) {
        World *w = *state;
        sd_bus *bus[6];
        Held held[6] = { { -EBADF }, { -EBADF }, { -EBADF }, { -EBADF }, { -EBADF }, { -EBADF } };
        Pending joes[3], anns;

        world_start_ready(w, NO_DOMAIN);
        for (size_t i = 0; i < ELEMENTSOF(bus); i++)
                bus[i] = world_connect(w);
        assert_null(client_lease(bus[0], "vm", LONG, &held[0]));
        for (uint32_t i = 0; i < 3; i++) {
                client_lease_begin(bus[1 + i], "vm", LONG, &joes[i]);
                wait_queue(bus[0], i + 1);
        }
        assert_string_equal(client_lease(bus[4], "vm", LONG, &held[4]), ERROR "Busy");
        client_lease_begin_as(bus[5], "vm", "ann", LONG, &anns);
        wait_queue(bus[0], 4);
        assert_null(client_release(bus[0], &held[0], "clean"));
        assert_null(client_wait(bus[5], &anns, &held[5]));
        assert_int_equal(machine_count(bus[0], "Queue"), 3);
        assert_null(client_release(bus[5], &held[5], "clean"));
        assert_null(client_wait(bus[1], &joes[0], &held[1]));
        for (size_t i = 1; i < 3; i++)
                sd_bus_slot_unref(joes[i].slot);
        for (size_t i = 0; i < ELEMENTSOF(bus); i++) {
                held_done(&held[i]);
                sd_bus_flush_close_unref(bus[i]);
        }
}

/* A client that is gone before it knew of its lease has done nothing with it: that costs no revert, whether
 * it was granted by then or not. */
static void test_given_up(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        const Held all = { .fd = -EBADF, .id = (char *)"" };
        Pending pending;

        world_start_ready(w, NO_DOMAIN ", \"policy\": \"on-failure\"");
        sd_bus *bus = world_connect(w), *other = world_connect(w);
        uint64_t generation = machine_number(bus, "Generation");
        client_lease_begin(bus, "vm", LONG, &pending);
        assert_null(client_release(bus, &all, "clean"));
        /* Its answer came before, or does not come. */
        sd_bus_slot_unref(pending.slot);
        sd_bus_message_unref(pending.reply);
        sd_bus_flush_close_unref(bus);

        bus = world_connect(w);
        assert_null(client_lease(other, "vm", LONG, &held));
        client_lease_begin(bus, "vm", LONG, &pending);
        wait_queue(other, 1);
        assert_null(client_release(bus, &all, "clean"));
        wait_queue(other, 0);
        sd_bus_slot_unref(pending.slot);
        sd_bus_message_unref(pending.reply);
        sd_bus_flush_close_unref(bus);

        /* That was for its own connection alone. */
        held_echo(&held, "mine");
        assert_null(client_release(other, &held, "clean"));
        assert_int_equal(machine_number(other, "Generation"), generation);
        assert_int_equal(machine_count(other, "Leases"), 0);
        sd_bus_flush_close_unref(other);
}

static void test_outcomes_begin_generations(void **state) {
        static const char *const outcomes[] = { "timed-out", "killed", "protocol-error", "lost", "unsent",
                "abandoned" };
        World *w = *state;

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w);
        for (size_t i = 0; i < ELEMENTSOF(outcomes); i++) {
                _cleanup_held_ Held held = { .fd = -EBADF }, next = { .fd = -EBADF };

                assert_null(client_lease(bus, "vm", LONG, &held));
                assert_null(client_release(bus, &held, outcomes[i]));
                assert_null(client_lease(bus, "vm", LONG, &next));
                assert_true(next.generation > held.generation);
                held_echo(&next, outcomes[i]);
                assert_null(client_release(bus, &next, "clean"));
        }
        _cleanup_held_ Held held = { .fd = -EBADF };
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_string_equal(client_release(bus, &held, "dirty"), SD_BUS_ERROR_INVALID_ARGS);
        sd_bus_flush_close_unref(bus);
}

/* A client that dies without Release() leaves a machine that counts as dirty. */
static void test_abandoned(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF }, next = { .fd = -EBADF };

        world_start_ready(w, NO_DOMAIN);
        sd_bus *dying = world_connect(w), *bus = world_connect(w);
        assert_null(client_lease(dying, "vm", LONG, &held));
        sd_bus_close_unref(dying);
        assert_true(held_is_over(&held));
        assert_null(client_lease(bus, "vm", LONG, &next));
        assert_true(next.generation > held.generation);
        assert_string_equal(machine_string(bus, "LastRevertReason"), "a lease was abandoned");
        sd_bus_flush_close_unref(bus);
}

/* Whoever keeps his lease for longer than his time is taken for dead. */
static void test_overtime(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        world_start_ready(w, NO_DOMAIN ", \"timeout\": 1");
        sd_bus *bus = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));
        uint64_t begun = now_monotonic();
        assert_true(held_is_over(&held));
        uint64_t took = now_monotonic() - begun;
        assert_true(took > 5 * SEC && took < 8 * SEC);
        sd_bus_flush_close_unref(bus);
}

/* What was left on the line by somebody else's request reaches nobody. */
static void test_stale_replies(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w);
        fake_guest_say(w->guest, "result:{\"result\":\"STALE\\n\"}\nresult:end\n", 3);
        assert_null(client_lease(bus, "vm", LONG, &held));
        held_echo(&held, "mine");
        assert_null(client_release(bus, &held, "clean"));

        /* In front of the answer to a probe, too. */
        held_done(&held);
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_null(client_release(bus, &held, "timed-out"));
        fake_guest_say(w->guest, "result:{\"result\":\"STALE\\n\"}\nresult:end\n", 3);
        held_done(&held);
        assert_null(client_lease(bus, "vm", LONG, &held));
        held_echo(&held, "mine");
        sd_bus_flush_close_unref(bus);
}

static void test_an_unasked_flood(void **state) {
        World *w = *state;

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w);
        uint64_t generation = machine_number(bus, "Generation");
        fake_guest_say(w->guest, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n", 20000);
        while (machine_number(bus, "Generation") == generation)
                usleep(1000);
        assert_string_equal(machine_string(bus, "LastRevertReason"), "the guest broke the protocol");
        sd_bus_flush_close_unref(bus);
}

/* A client that goes in the middle of its request leaves the guest waiting for the rest. */
static void test_torn_request(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        char big[4096] = {};

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w);
        fake_guest_set(w->guest, FAKE_ANSWERS, false);
        assert_null(client_lease(bus, "vm", LONG, &held));
        uint64_t generation = held.generation;
        /* More than all buffers on the way hold. */
        while (io_write(held.fd, big, sizeof(big), now_monotonic() + SEC / 5) == 0)
                ;
        assert_null(client_release(bus, &held, "clean"));
        fake_guest_set(w->guest, FAKE_ANSWERS, true);
        held_done(&held);
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_true(held.generation > generation);
        sd_bus_flush_close_unref(bus);
}

/* The guest goes in the middle: the client sees the end, and the next one is served. */
static void test_lost_in_the_middle(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));
        fake_guest_set(w->guest, FAKE_HANGS_UP, true);
        assert_int_equal(write(held.fd, "{\"code\":\"echo x\"}\n\n", 19), 19);
        assert_true(held_is_over(&held));
        fake_guest_set(w->guest, FAKE_HANGS_UP, false);
        assert_null(client_release(bus, &held, "lost"));
        held_done(&held);
        assert_null(client_lease(bus, "vm", LONG, &held));
        held_echo(&held, "again");
        sd_bus_flush_close_unref(bus);
}

/* No room for the state file, or so it seems: a folder lies where it is written. */
static void block_state(const World *w, bool block) {
        char path[128];

        snprintf(path, sizeof(path), "%s/run/state.json.new", w->directory);
        assert_int_equal(block ? mkdir(path, 0700) : rmdir(path), 0);
}

/* A lease that a watchdog that dies would not know of is not granted: whoever asks is told at once, and the
 * log says it once. */
static void test_state_cannot_be_saved(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w);
        uint64_t generation = machine_number(bus, "Generation"), begun = now_monotonic();
        block_state(w, true);
        for (int i = 0; i < 3; i++)
                assert_string_equal(client_lease(bus, "vm", LONG, &held), ERROR "Busy");
        assert_true(now_monotonic() - begun < 5 * SEC);
        assert_string_equal(client_call(bus, "vm", "Drain", NULL), ERROR "Busy");
        assert_string_equal(machine_string(bus, "State"), "ready");
        assert_string_equal(client_call(bus, "vm", "Revert", "why"), ERROR "Busy");
        assert_int_equal(machine_number(bus, "Generation"), generation);
        assert_int_equal(machine_number(bus, "Requests"), 0);
        assert_int_equal(world_log_count(w, "Failed to save the state"), 1);

        /* What waited for it happens then. */
        block_state(w, false);
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_true(held.generation > generation);
        held_echo(&held, "saved");
        assert_null(client_release(bus, &held, "clean"));
        sd_bus_flush_close_unref(bus);
}

/* Who asked for a revert and went is not kept: others can ask. */
/* The state file is written when a lease begins and when it has ended. */
static void test_two_writes_a_lease(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        char path[128];
        char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));
        assert_null(client_release(bus, &held, "clean"));
        held_done(&held);

        snprintf(path, sizeof(path), "%s/run", w->directory);
        _cleanup_close_ int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        assert_true(fd >= 0 && inotify_add_watch(fd, path, IN_MOVE) >= 0);
        for (unsigned i = 0; i < 5; i++) {
                assert_null(client_lease(bus, "vm", LONG, &held));
                assert_null(client_release(bus, &held, "clean"));
                /* What is still to be written is, before this is answered. */
                assert_string_equal(machine_string(bus, "State"), "ready");
                held_done(&held);
        }
        unsigned writes = 0;
        for (ssize_t n; (n = read(fd, events, sizeof(events))) > 0;)
                for (char *p = events; p < events + n;) {
                        const struct inotify_event *event = (struct inotify_event *)p;
                        writes += (event->mask & IN_MOVED_TO) != 0;
                        p += sizeof(*event) + event->len;
                }
        /* The first one may be of the lease before, and the last one still to come. */
        assert_in_range(writes, 9, 11);
        assert_int_equal(machine_number(bus, "Requests"), 6);
        sd_bus_flush_close_unref(bus);
}

static void test_vanished_revert_callers(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        Pending pending[16], last;
        const char *name;

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w), *gone = world_connect(w), *other = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));
        /* They wait for the one who has it. */
        for (size_t i = 0; i < ELEMENTSOF(pending); i++)
                client_revert_begin(gone, "vm", &pending[i]);
        while (world_log_count(w, " asks for a revert of vm") < ELEMENTSOF(pending))
                usleep(1000);
        for (size_t i = 0; i < ELEMENTSOF(pending); i++)
                sd_bus_slot_unref(pending[i].slot);
        assert_true(sd_bus_get_unique_name(gone, &name) >= 0);
        _cleanup_free_ char *gone_name = strdup(name);
        sd_bus_flush_close_unref(gone);
        /* The bus tells the watchdog before anybody else. */
        while (sd_bus_get_name_creds(other, gone_name, 0, NULL) >= 0)
                usleep(1000);
        client_revert_begin(other, "vm", &last);
        while (!last.reply && world_log_count(w, " asks for a revert of vm") <= ELEMENTSOF(pending)) {
                assert_true(sd_bus_process(other, NULL) >= 0);
                usleep(1000);
        }
        assert_null(client_release(bus, &held, "clean"));
        assert_null(client_wait_done(other, &last));
        assert_string_equal(machine_string(bus, "LastRevertReason"), "an operator asked");
        sd_bus_flush_close_unref(other);
        sd_bus_flush_close_unref(bus);
}

/* An agent that is connected but answers nothing is not leased out. */
static void test_silent_agent(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };

        world_start_ready(w, NO_DOMAIN);
        sd_bus *bus = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));
        fake_guest_set(w->guest, FAKE_ANSWERS, false);
        assert_null(client_release(bus, &held, "killed"));
        held_done(&held);
        assert_string_equal(client_lease(bus, "vm", SEC, &held), ERROR "Resetting");
        fake_guest_set(w->guest, FAKE_ANSWERS, true);
        assert_null(client_lease(bus, "vm", LONG, &held));
        held_echo(&held, "back");
        sd_bus_flush_close_unref(bus);
}

int main(void) {
#define test_in_world(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        const struct CMUnitTest tests[] = {
                test_in_world(test_one_request),
                test_in_world(test_who_cannot_be_leased),
                test_in_world(test_no_beats),
                test_in_world(test_waiting_in_turn),
                test_in_world(test_one_nick_among_others),
                test_in_world(test_given_up),
                test_in_world(test_outcomes_begin_generations),
                test_in_world(test_abandoned),
                test_in_world(test_overtime),
                test_in_world(test_stale_replies),
                test_in_world(test_an_unasked_flood),
                test_in_world(test_torn_request),
                test_in_world(test_lost_in_the_middle),
                test_in_world(test_silent_agent),
                test_in_world(test_state_cannot_be_saved),
                test_in_world(test_two_writes_a_lease),
                test_in_world(test_vanished_revert_callers),
        };
        cmocka_set_test_filter(getenv("PBOTVM_TEST_FILTER"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
