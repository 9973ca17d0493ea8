/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Warming a guest for its snapshot: which programs are run, by whom, and what follows. */

#include <signal.h>
#include <stdio.h>

#include "../watchdog/test.h"
#include "../watchdog/world.h"
#include "ctl/interrupt.h"
#include "ctl/warm.h"

static void test_programs(void **state _unused_) {
        static const struct {
                const char *command, *program;
        } table[] = {
                { "gcc -g prog.c -o prog", "gcc" },
                { "sh prog.sh", "sh" },
                { "sh -c 'NODE_DISABLE_COLORS=1 node -p < prog.js'", "node" },
                { "  'x'", "x" },
                { "sh -c", "" },
                { "", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                size_t size;
                const char *word = warm_program(table[i].command, &size);

                assert_int_equal(size, strlen(table[i].program));
                assert_memory_equal(word, table[i].program, size);
        }
}

static void write_programs(const World *w, Text *path) {
        text_append_printf(path, "%s/hello.json", w->directory);
        FILE *f = fopen(text_string(path), "we");
        assert_non_null(f);
        assert_true(fputs("{ \"about\": \"no program\","
                          "\"a\": { \"file\": \"p\", \"command\": \"sh prog\", \"code\": \"echo hello\" },"
                          "\"b\": { \"file\": \"p\", \"command\": \"sh prog2\", \"code\": \"echo other\" },"
                          "\"c\": { \"file\": \"p\", \"command\": \"cc p\", \"code\": \"echo hell\" },"
                          "\"d\": { \"file\": \"p\", \"command\": \"perl p\", \"code\": \"echo hello\" } }",
                            f) >= 0);
        assert_int_equal(fclose(f), 0);
}

/* A machine that is drained, under a policy that reverts after each request. */
static void test_drained(void **state) {
        World *w = *state;
        _cleanup_text_ Text path = {};
        _cleanup_(warm_result_done) WarmResult result = {};
        int fd = interrupt_open();

        assert_true(fd >= 0);
        write_programs(w, &path);
        assert_int_equal(setenv("DBUS_SYSTEM_BUS_ADDRESS", w->address, true), 0);
        world_start_ready(w, "\"policy\": \"always\", \"guest\": \"pbot-2026\"");
        sd_bus *bus = world_connect(w);
        assert_null(client_call(bus, "vm", "Drain", NULL));

        assert_int_equal(warm_guest("vm", text_string(&path), fd, false, &result), 0);
        assert_string_equal(text_string(&result.trouble), "");
        assert_int_equal(result.tried, 3); /* two start the same shell */
        assert_int_equal(result.good, 2);
        assert_string_equal(text_string(&result.bad), "c");
        while (machine_count(bus, "Leases") > 0)
                usleep(1000);
        assert_string_equal(machine_string(bus, "State"), "drained");
        assert_int_equal(machine_number(bus, "Requests"), 3);

        /* What nobody answers is told, and the rest left out. */
        warm_result_done(&result);
        result = (WarmResult){};
        fake_guest_set(w->guest, FAKE_HANGS_UP, true);
        assert_int_equal(warm_guest("vm", text_string(&path), fd, false, &result), 0);
        assert_string_equal(text_string(&result.trouble), "a: lost");
        assert_int_equal(result.tried, 1);
        warm_result_done(&result);
        result = (WarmResult){};

        assert_false(interrupt_seen(fd));
        assert_int_equal(raise(SIGINT), 0);
        assert_true(interrupt_seen(fd));
        assert_int_equal(warm_guest("vm", text_string(&path), fd, false, &result), -EINTR);
        assert_int_equal(warm_guest("vm", "/nonexistent/x", fd, false, &result), -ENOENT);
        close(fd);
        sd_bus_flush_close_unref(bus);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_programs),
                cmocka_unit_test_setup_teardown(test_drained, world_setup, world_teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
