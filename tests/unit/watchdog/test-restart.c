/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The watchdog is killed at each point where it matters, or the guest is started by others; then the machine
 * has to be put right. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/io.h"
#include "node.h"
#include "test.h"
#include "watchdog/machine.h"
#include "watchdog/state-file.h"

#define LONG (20 * SEC)

static void write_node(World *w, const char *snapshot, const char *more) {
        _cleanup_text_ Text machine = {};

        node_write(w, "node.xml", (const char *const[]){ "vm", NULL }, NODE_RUNNING, snapshot);
        text_append_printf(&machine, "\"uri\": \"test://%s/node.xml\"%s", w->directory, more);
        world_configure(w, text_string(&machine), "");
}

static void start_ready(World *w) {
        world_start(w);
        world_wait_status(w, "vm ready");
}

/* One request; the watchdog may die at any moment of it. */
static uint64_t one_request(World *w, const char *outcome) {
        _cleanup_held_ Held held = { .fd = -EBADF };
        uint64_t generation = 0;
        sd_bus *bus = world_connect(w);

        if (!client_lease(bus, "vm", LONG, &held)) {
                generation = held.generation;
                (void)client_release(bus, &held, outcome);
        }
        sd_bus_flush_close_unref(bus);
        return generation;
}

static void test_killed_anywhere(void **state) {
        static const struct {
                const char *point;
                const char *outcome;
                bool reverted; /* by the next start; else it was not needed */
        } table[] = {
                { "before-lease-reply", "clean", true },
                { "lease-held", "clean", true },
                { "after-release", "clean", true },
                { "after-release", "timed-out", true },
                { "before-revert", "timed-out", true },
                { "during-revert", "timed-out", true },
                { "after-revert", "timed-out", true },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                void *fresh;

                if (i > 0) {
                        world_teardown(state);
                        assert_int_equal(world_setup(&fresh), 0);
                        *state = fresh;
                }
                World *w = *state;
                write_node(w, "1", "");
                world_set(w, "PBOTVM_TEST_CRASH", table[i].point);
                start_ready(w);
                sd_bus *bus = world_connect(w);
                uint64_t before = machine_number(bus, "Generation");
                sd_bus_flush_close_unref(bus);
                (void)one_request(w, table[i].outcome);
                int status = world_wait_end(w);
                assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

                /* It happens once; nobody is served before the machine is what it should be. */
                world_start(w);
                bus = world_connect(w);
                _cleanup_held_ Held held = { .fd = -EBADF };
                assert_null(client_lease(bus, "vm", LONG, &held));
                held_echo(&held, table[i].point);
                assert_true(held.generation > before);
                assert_int_equal(machine_number(bus, "Reverts"), table[i].reverted);
                assert_null(client_release(bus, &held, "clean"));
                sd_bus_flush_close_unref(bus);
        }
}

/* Before a state is saved the old one stands, and nobody has been given anything yet. */
static void test_killed_before_saving(void **state) {
        World *w = *state;

        write_node(w, "1", "");
        start_ready(w);
        uint64_t before = one_request(w, "clean");
        (void)world_end(w, SIGTERM);

        world_set(w, "PBOTVM_TEST_CRASH", "before-state-save");
        world_start_dying(w);
        int status = world_wait_end(w);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

        start_ready(w);
        uint64_t after = one_request(w, "clean");
        assert_true(after >= before);
}

/* A watchdog that is killed while nobody uses the machine finds it as it was. */
static void test_killed_idle(void **state) {
        World *w = *state;

        write_node(w, "1", "");
        start_ready(w);
        uint64_t before = one_request(w, "clean");
        sd_bus *bus = world_connect(w);
        assert_null(client_call(bus, "vm", "Drain", NULL));
        sd_bus_flush_close_unref(bus);
        (void)world_end(w, SIGKILL);

        world_start(w);
        world_wait_status(w, "vm drained");
        bus = world_connect(w);
        assert_int_equal(machine_number(bus, "Generation"), before);
        assert_int_equal(machine_number(bus, "Reverts"), 0);
        assert_null(client_call(bus, "vm", "Resume", NULL));
        sd_bus_flush_close_unref(bus);
        assert_int_equal(one_request(w, "clean"), before);

        /* What kind of guest it is was kept, so the agent is asked at once, and need not have beaten yet.
         * The question makes sure that the end of the lease is saved. */
        bus = world_connect(w);
        assert_int_equal(machine_count(bus, "Leases"), 0);
        sd_bus_flush_close_unref(bus);
        (void)world_end(w, SIGKILL);
        fake_guest_set(w->guest, FAKE_BEATS, false);
        start_ready(w);
        assert_int_equal(one_request(w, "clean"), before);
}

/* What did not help is not repeated at once by a watchdog that was started again either. */
static void test_backoff_goes_on(void **state) {
        World *w = *state;
        uint64_t last = 0;

        write_node(w, "1", "");
        start_ready(w);
        sd_bus *bus = world_connect(w);
        fake_guest_set(w->guest, FAKE_ANSWERS, false);
        /* An operator's revert waits for nothing; after the third in a row the next one of another kind
         * waits for 4 s. */
        for (int i = 0; i < 3; i++) {
                last = now_monotonic();
                assert_null(client_call(bus, "vm", "Revert", "because"));
        }
        /* The question makes sure that the end of the last one is saved. */
        assert_int_equal(machine_number(bus, "Reverts"), 3);
        sd_bus_flush_close_unref(bus);
        (void)world_end(w, SIGKILL);

        /* One would be due at once: the machine is off by now. */
        node_write(w, "node.xml", (const char *const[]){ "vm", NULL }, NODE_SHUTOFF, "1");
        world_start(w);
        bus = world_connect(w);
        world_wait_status(w, "vm failed (the domain is off)");
        assert_int_equal(machine_number(bus, "Reverts"), 0);
        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;
        while (machine_number(bus, "Reverts") == 0 && now_monotonic() < deadline)
                usleep(10000);
        assert_int_equal(machine_number(bus, "Reverts"), 1);
        assert_true(now_monotonic() - last >= 4 * SEC);

        /* And recovers without a person. */
        fake_guest_set(w->guest, FAKE_ANSWERS, true);
        world_wait_status(w, "vm ready");
        sd_bus_flush_close_unref(bus);
}

/* ---- others ---- */

static void toggle(const char *path) {
        if (unlink(path) < 0) {
                int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
                assert_true(fd >= 0);
                fd_close(fd);
        }
}

/* What a client has of the guest that is gone is taken from it, and no reason for a revert under any policy.
 * There is no snapshot, so one that is due is told for good, and the domain is looked at every 2 s. */
static void test_started_by_somebody_else(void **state) {
        World *w = *state;
        _cleanup_text_ Text mark = {};
        _cleanup_held_ Held held = { .fd = -EBADF };

        text_append_printf(&mark, "%s/other-run", w->directory);
        write_node(w, NULL, ", \"policy\": \"always\", \"timeout\": 60");
        world_set(w, "PBOTVM_TEST_OTHER_RUN", text_string(&mark));
        start_ready(w);
        sd_bus *bus = world_connect(w);
        assert_null(client_lease(bus, "vm", LONG, &held));
        held_echo(&held, "mine");

        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;
        for (int i = 0; machine_number(bus, "Generation") == held.generation && now_monotonic() < deadline;
                i++) {
                /* Again, too: the first look may have been after the first time. */
                if (i % 500 == 0)
                        toggle(text_string(&mark));
                usleep(10000);
        }
        assert_int_equal(machine_number(bus, "Generation"), held.generation + 1);
        assert_true(held_is_over(&held));
        assert_int_equal(machine_count(bus, "Leases"), 0);
        assert_int_equal(world_log_count(w, "the guest was started or reverted by somebody else."), 1);
        assert_string_equal(client_release(bus, &held, "timed-out"), "org.pbot.VM1.Error.Refused");
        world_wait_status(w, "vm ready");
        assert_int_equal(machine_number(bus, "Reverts"), 0);
        sd_bus_flush_close_unref(bus);
}

/* ---- the file ---- */

static SavedState read_state(World *w, const char *text) {
        _cleanup_text_ Text content = {};
        SavedState saved;

        int fd = open(w->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        text_append_string(&content, text);
        assert_int_equal(state_file_write(fd, &content), 0);
        assert_int_equal(state_file_read(fd, &saved), 0);
        fd_close(fd);
        return saved;
}

static void test_what_the_file_says(void **state) {
        static const struct {
                const char *text;
                RevertReason due;
                uint64_t generation;
                bool drained;
        } table[] = {
                { "{\"machines\": []}", REVERT_NONE, 0, false },
                { "{\"machines\": [{\"name\": \"a\", \"generation\": 4, \"due\": \"\", \"leases\": []}]}",
                        REVERT_NONE, 4, false },
                { "{\"machines\": [{\"name\": \"a\", \"generation\": 4, \"drained\": true, \"due\": "
                  "\"killed\"}]}",
                        REVERT_KILLED, 4, true },
                { "{\"machines\": [{\"name\": \"a\", \"generation\": 4, \"due\": \"\", \"leases\": "
                  "[{\"id\": \"x\"}]}]}",
                        REVERT_UNCLEAN, 4, false },
                { "{\"machines\": [{\"name\": \"a\", \"generation\": 4, \"due\": \"of tomorrow\"}]}",
                        REVERT_UNCLEAN, 4, false },
                /* Not to be read: whatever was in it, nobody uses the machine before a revert. */
                { "", REVERT_UNCLEAN, 0, false },
                { "{\"machines\": [{\"name\": \"a\", \"gen", REVERT_UNCLEAN, 0, false },
                { "{\"machines\": {}}", REVERT_UNCLEAN, 0, false },
                { "{\"machines\": [{\"name\": \"a\"}]}", REVERT_UNCLEAN, 0, false },
                { "{\"machines\": [{\"name\": 1, \"generation\": 1}]}", REVERT_UNCLEAN, 0, false },
                { "{\"machines\": [{\"name\": \"a\", \"generation\": -1}]}", REVERT_UNCLEAN, 0, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                SavedState saved = read_state(*state, table[i].text);
                SavedMachine m = saved_machine(&saved, "a");
                assert_int_equal(m.due, table[i].due);
                assert_int_equal(m.generation, table[i].generation);
                assert_int_equal(m.drained, table[i].drained);
                saved_state_done(&saved);
        }
}

static void test_counts_in_the_file(void **state) {
        SavedState saved = read_state(*state,
                "{\"machines\": [{\"name\": \"a\", \"generation\": 4, \"failures\": 3, \"retry_usec\": 77, "
                "\"born_usec\": 66, \"served\": 5, \"place\": 2}, {\"name\": \"b\", \"generation\": 4, "
                "\"failures\": -1, \"served\": \"x\", \"place\": 99}]}");
        SavedMachine a = saved_machine(&saved, "a"), b = saved_machine(&saved, "b");

        assert_int_equal(a.failures, 3);
        assert_int_equal(a.retry_usec, 77);
        assert_int_equal(a.born_usec, 66);
        assert_int_equal(a.served, 5);
        assert_int_equal(a.place, 2);
        assert_int_equal(b.place, MACHINE_SPARES_MAX);
        assert_false(saved.broken);
        assert_int_equal(b.failures, 0);
        assert_int_equal(b.served, 0);
        saved_state_done(&saved);
}

static void test_hour_in_the_file(void **state) {
        SavedState saved = read_state(*state,
                "{\"machines\": [{\"name\": \"a\", \"generation\": 4, \"hour\": {\"minute\": 1000, "
                "\"beats\": \"0x59 7\", \"requests\": \"0x99\"}}, {\"name\": \"b\", \"generation\": 4, "
                "\"hour\": 5}]}");
        SavedMachine a = saved_machine(&saved, "a"), b = saved_machine(&saved, "b");
        const Hour none = {};

        assert_false(saved.broken);
        assert_int_equal(a.hour.minute, 1000);
        assert_int_equal(hour_get(&a.hour, HOUR_BEATS, 0, 1000 * 60 * USEC_PER_SEC), 7);
        assert_memory_equal(a.hour.counts[HOUR_REQUESTS], none.counts[0], sizeof(none.counts[0]));
        assert_memory_equal(&b.hour, &none, sizeof(none));
        saved_state_done(&saved);
}

/* What the machine did is known after a stop and a start, and is not counted twice. */
static void test_hour_goes_on(void **state) {
        World *w = *state;

        write_node(w, "1", "");
        start_ready(w);
        (void)one_request(w, "clean");
        (void)one_request(w, "timed-out");
        sd_bus *bus = world_connect(w);
        for (unsigned i = 0; i < 100 && machine_hour(bus, "reverts") == 0; i++)
                usleep(100 * 1000);
        world_wait_status(w, "vm ready");
        assert_int_equal(machine_hour(bus, "requests"), 2);
        assert_int_equal(machine_hour(bus, "reverts"), 1);
        assert_true(machine_hour(bus, "beats") > 0);
        sd_bus_flush_close_unref(bus);
        (void)world_end(w, SIGTERM);

        start_ready(w);
        (void)one_request(w, "clean");
        bus = world_connect(w);
        uint64_t beats = machine_hour(bus, "beats");
        assert_int_equal(machine_hour(bus, "requests"), 3);
        assert_int_equal(machine_hour(bus, "reverts"), 1);
        assert_true(beats > 0);
        /* Nor by a machine that takes the place of one with other settings. */
        world_configure(w, "\"domain\": null", "");
        assert_null(client_call(bus, NULL, "Reload", NULL));
        world_wait_status(w, "vm ready");
        assert_int_equal(machine_hour(bus, "requests"), 3);
        assert_true(machine_hour(bus, "beats") >= beats);
        sd_bus_flush_close_unref(bus);
}

/* More machines than a person's file may hold. */
static void test_a_large_file(void **state) {
        _cleanup_text_ Text text = {};

        text_append_string(&text, "{\"machines\": [");
        for (int i = 0; text.size < (size_t)3 << 20; i++)
                text_append_printf(&text,
                        "{\"name\": \"machine-%i\", \"generation\": 4, \"leases\": [{\"id\": "
                        "\"%01000i\"}]},\n",
                        i, i);
        text_append_string(&text, "{\"name\": \"a\", \"generation\": 4}]}");
        SavedState saved = read_state(*state, text_string(&text));
        assert_false(saved.broken);
        assert_int_equal(saved_machine(&saved, "a").due, REVERT_NONE);
        assert_int_equal(saved_machine(&saved, "machine-7").due, REVERT_UNCLEAN);
        saved_state_done(&saved);

        /* What could not be read again is not written. */
        while (text.size <= (size_t)32 << 20)
                text_append_string(&text, "                                ");
        int fd = open(((World *)*state)->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(state_file_write(fd, &text), -EFBIG);
        fd_close(fd);
}

int main(void) {
#define test_in_world(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        const struct CMUnitTest tests[] = {
                test_in_world(test_killed_anywhere),
                test_in_world(test_killed_before_saving),
                test_in_world(test_killed_idle),
                test_in_world(test_backoff_goes_on),
                test_in_world(test_started_by_somebody_else),
                test_in_world(test_what_the_file_says),
                test_in_world(test_counts_in_the_file),
                test_in_world(test_hour_in_the_file),
                test_in_world(test_hour_goes_on),
                test_in_world(test_a_large_file),
        };
        cmocka_set_test_filter(getenv("PBOTVM_TEST_FILTER"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
