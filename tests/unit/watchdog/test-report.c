/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the journal is told before a machine is reverted, or connected to anew: why, and what is known of its
 * guest and of who had it. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "common/io.h"
#include "common/log.h"
#include "common/text.h"
#include "node.h"
#include "test.h"
#include "watchdog/asker.h"

#define LONG (20 * SEC)
#define NO_DOMAIN "\"domain\": null"

static void path_of(const World *w, const char *name, char *ret, size_t size) {
        snprintf(ret, size, "%s/%s", w->directory, name);
}

static sd_bus *start(World *w, const char *machine) {
        char path[128];

        path_of(w, "journal", path, sizeof(path));
        world_set(w, "PBOTVM_LOG", "journal");
        world_set(w, "PBOTVM_TEST_JOURNAL", path);
        world_start_ready(w, machine);
        return world_connect(w);
}

/* The entry of the revert for that reason, which is waited for, with an end of line in front. */
static void wait_report(World *w, const char *reason, Text *ret) {
        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;
        char path[128], wanted[64];

        path_of(w, "journal", path, sizeof(path));
        snprintf(wanted, sizeof(wanted), "\nPBOTVM_REASON=%s\n", reason);
        while (now_monotonic() < deadline) {
                _cleanup_text_ Text all = {};

                assert_int_equal(io_read_file(AT_FDCWD, path, (size_t)16 << 20, &all), 0);
                char *found = strstr(all.data, wanted);
                char *end = found ? strstr(found, "\n\n") : NULL;
                if (end) {
                        end[1] = '\0';
                        while (found > all.data && !startswith(found, "\n\n"))
                                found--;
                        text_append_string(ret, found + (found > all.data));
                        return;
                }
                usleep(10000);
        }
        fail_msg("waited for a report of '%s'", reason);
}

static void assert_field(const Text *report, const char *field) {
        char wanted[400];

        snprintf(wanted, sizeof(wanted), "\n%s\n", field);
        if (!strstr(text_string(report), wanted))
                fail_msg("no '%s' in '%s'", field, text_string(report));
}

static void assert_no_field(const Text *report, const char *name) {
        char unwanted[100];

        snprintf(unwanted, sizeof(unwanted), "\n%s=", name);
        assert_null(strstr(text_string(report), unwanted));
}

static void test_an_outcome(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        _cleanup_text_ Text report = {};
        char number[64];

        sd_bus *bus = start(w, NO_DOMAIN);
        fake_guest_set_beat(w->guest, "pbotvm 2 0.50 123");
        assert_null(client_lease(bus, "vm", LONG, &held));
        while (!streq(machine_string(bus, "LastBeat"), "pbotvm 2 0.50 123"))
                usleep(1000);
        assert_null(client_release(bus, &held, "killed"));
        wait_report(w, "killed", &report);
        assert_field(&report, "MESSAGE_ID=" MESSAGE_REVERT);
        assert_field(&report, "PBOTVM_MACHINE=vm");
        snprintf(number, sizeof(number), "PBOTVM_GENERATION=%llu", (unsigned long long)held.generation);
        assert_field(&report, number);
        assert_field(&report, "PBOTVM_SERVED=1");
        assert_field(&report, "PBOTVM_FAILURES=0");
        assert_field(&report, "PBOTVM_DOMAIN_STATE=unknown");
        assert_field(&report, "PBOTVM_AGENT=proven");
        assert_field(&report, "PBOTVM_BEAT=pbotvm 2 0.50 123");
        assert_field(&report, "PBOTVM_NICK=joe");
        assert_field(&report, "PBOTVM_CHANNEL=#test");
        assert_field(&report, "PBOTVM_LANGUAGE=sh");
        /* There is no hypervisor that could tell. */
        assert_no_field(&report, "PBOTVM_MEMORY_BYTES");
        const char *age = strstr(text_string(&report), "\nPBOTVM_BEAT_AGE_USEC=");
        assert_non_null(age);
        assert_true(strtoull(age + strlen("\nPBOTVM_BEAT_AGE_USEC="), NULL, 10) < 5 * SEC);
        sd_bus_flush_close_unref(bus);
}

/* What the guest told of its own journal comes first, an entry a line, and none of them is another one's. */
static void test_last_words(void **state) {
        static const char expected[] = "MESSAGE=The guest of vm told: [9.5] kernel: BUG? soft lockup\n";
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        _cleanup_text_ Text report = {}, all = {};
        char path[128];

        sd_bus *bus = start(w, NO_DOMAIN);
        fake_guest_set_beat(w->guest, "pbotvm journal [9.5] kernel: BUG\x01 soft lockup\r\npbotvm journal "
                                      "x\x0BPBOTVM_REASON=killed\n"
                                      "pbotvm 2 0.50 123");
        assert_null(client_lease(bus, "vm", LONG, &held));
        while (!streq(machine_string(bus, "LastBeat"), "pbotvm 2 0.50 123"))
                usleep(1000);
        assert_null(client_release(bus, &held, "killed"));
        wait_report(w, "killed", &report);
        assert_field(&report, "PBOTVM_BEAT=pbotvm 2 0.50 123");

        path_of(w, "journal", path, sizeof(path));
        assert_int_equal(io_read_file(AT_FDCWD, path, (size_t)16 << 20, &all), 0);
        const char *first = strstr(text_string(&all), expected);
        assert_non_null(first);
        assert_true(first < strstr(text_string(&all), text_string(&report)));
        const char *end = strstr(first, "\n\n"),
                   *id = strstr(first, "\nMESSAGE_ID=" MESSAGE_GUEST_JOURNAL "\n"),
                   *machine = strstr(first, "\nPBOTVM_MACHINE=vm\n");
        assert_true(end && id && id < end && machine && machine < end);
        assert_non_null(strstr(first, "\nMESSAGE=The guest of vm told: x?PBOTVM_REASON=killed\n"));
        sd_bus_flush_close_unref(bus);
}

/* Who came after somebody whose request brought the revert about, and was only cut off, is not named. */
static void test_who_brought_it_about(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        _cleanup_text_ Text report = {};
        Pending pending;

        sd_bus *bus = start(w, NO_DOMAIN ", \"heartbeat\": 1");
        client_lease_begin_as(bus, "vm", "ann", LONG, &pending);
        assert_null(client_wait(bus, &pending, &held));
        assert_null(client_release(bus, &held, "clean"));
        held_done(&held);
        client_lease_begin_as(bus, "vm", "bob", LONG, &pending);
        assert_null(client_wait(bus, &pending, &held));
        /* The guest dies under him, and he is cut off. */
        fake_guest_set(w->guest, FAKE_BEATS, false);
        assert_true(held_is_over(&held));
        wait_report(w, "heartbeat", &report);
        assert_field(&report, "PBOTVM_NICK=bob");
        assert_field(&report, "PBOTVM_BEAT=pbotvm 1");
        sd_bus_flush_close_unref(bus);
}

/* A guest and a client write what they like; of a report it makes nothing else. */
static void test_nobody_forges_it(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        _cleanup_text_ Text report = {};
        Pending pending;

        sd_bus *bus = start(w, NO_DOMAIN);
        fake_guest_set_beat(w->guest, "pbotvm 2\rPBOTVM_REASON=operator\x1b[2J\xff");
        while (!strstr(machine_string(bus, "LastBeat"), "operator"))
                usleep(1000);
        client_lease_begin_as(bus, "vm", "joe\nPBOTVM_REASON=operator\n\n\x01", LONG, &pending);
        assert_null(client_wait(bus, &pending, &held));
        assert_null(client_release(bus, &held, "timed-out"));
        wait_report(w, "timed-out", &report);
        assert_field(&report, "PBOTVM_BEAT=pbotvm 2?PBOTVM_REASON=operator?[2J?");
        assert_field(&report, "PBOTVM_NICK=joe?PBOTVM_REASON=operator???");
        assert_null(strstr(text_string(&report), "\\n"));
        sd_bus_flush_close_unref(bus);
}

/* The watchdog died, and its successor knows who had the machine. */
static void test_who_had_it_when_the_watchdog_died(void **state) {
        World *w = *state;
        _cleanup_held_ Held held = { .fd = -EBADF };
        _cleanup_text_ Text report = {};

        sd_bus *bus = start(w, NO_DOMAIN);
        assert_null(client_lease(bus, "vm", LONG, &held));
        int status = world_end(w, SIGKILL);
        assert_true(WIFSIGNALED(status));
        sd_bus_flush_close_unref(bus);
        world_start(w);
        wait_report(w, "unclean", &report);
        assert_field(&report, "PBOTVM_NICK=joe");
        assert_field(&report, "PBOTVM_CHANNEL=#test");
        assert_field(&report, "PBOTVM_LANGUAGE=sh");
}

/* What libvirt says of the domain. */
static void test_a_domain(void **state) {
        World *w = *state;
        _cleanup_text_ Text report = {}, machine = {};

        node_write(w, "node.xml", (const char *const[]){ "vm", NULL }, NODE_RUNNING, NULL);
        /* Under "never" a revert needs no snapshot. */
        text_append_printf(&machine, "\"uri\": \"test://%s/node.xml\", \"policy\": \"never\"", w->directory);
        sd_bus *bus = start(w, text_string(&machine));
        /* It is looked at as soon as libvirt is there, which may be after the first revert. */
        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;
        do {
                char path[128];

                path_of(w, "journal", path, sizeof(path));
                assert_int_equal(truncate(path, 0), 0);
                text_clear(&report);
                assert_null(client_call(bus, "vm", "Revert", "because"));
                wait_report(w, "operator", &report);
        } while (!strstr(text_string(&report), "PBOTVM_MEMORY_BYTES") && now_monotonic() < deadline);
        assert_field(&report, "PBOTVM_DOMAIN_STATE=running");
        assert_field(&report, "PBOTVM_MEMORY_BYTES=67108864");
        assert_non_null(strstr(text_string(&report), "\nPBOTVM_CPU_USAGE="));
        sd_bus_flush_close_unref(bus);
}

/* Long texts are cut, in whole characters. */
static void test_texts_of_askers(void **state _unused_) {
        char *to = NULL;
        char text[ASKER_SIZE_MAX + 8];

        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        assert_int_equal(asker_set(&to, text), 0);
        assert_int_equal(strlen(to), ASKER_SIZE_MAX);
        memcpy(text + ASKER_SIZE_MAX - 2, "\xe2\x82\xac", 3);
        assert_int_equal(asker_set(&to, text), 0);
        assert_int_equal(strlen(to), ASKER_SIZE_MAX - 2);
        memcpy(text + ASKER_SIZE_MAX - 3, "\xe2\x82\xacx", 4);
        assert_int_equal(asker_set(&to, text), 0);
        assert_int_equal(strlen(to), ASKER_SIZE_MAX);
        assert_int_equal(asker_set(&to, "a\tb\x7f"), 0);
        assert_string_equal(to, "a?b?");
        free(to);
}

int main(void) {
#define test_in_world(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        const struct CMUnitTest tests[] = {
                test_in_world(test_an_outcome),
                test_in_world(test_last_words),
                test_in_world(test_who_brought_it_about),
                test_in_world(test_nobody_forges_it),
                test_in_world(test_who_had_it_when_the_watchdog_died),
                test_in_world(test_a_domain),
                cmocka_unit_test(test_texts_of_askers),
        };
        cmocka_set_test_filter(getenv("PBOTVM_TEST_FILTER"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
