/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "watchdog/idle-cpu.h"

#define T0 (1000 * SEC)

static void test_samples(void **state _unused_) {
        static const struct {
                const char *what;
                struct {
                        unsigned at; /* seconds */
                        double used; /* seconds */
                        bool idle;
                        unsigned requests;
                } samples[5];
                bool burning; /* at the end */
        } table[] = {
                { "burns", { { 0, 100, true, 1 }, { 15, 104, true, 1 }, { 30, 108, true, 1 } }, true },
                { "once is not enough", { { 0, 100, true, 1 }, { 15, 104, true, 1 } }, false },
                { "just below", { { 0, 100, true, 1 }, { 15, 103.7, true, 1 }, { 30, 107.4, true, 1 } },
                        false },
                { "one quiet sample between",
                        { { 0, 100, true, 1 }, { 15, 104, true, 1 }, { 30, 104, true, 1 },
                                { 45, 108, true, 1 } },
                        false },
                { "is used at the end", { { 0, 100, true, 1 }, { 15, 104, true, 1 }, { 30, 108, false, 1 } },
                        false },
                { "was used in between", { { 0, 100, true, 1 }, { 15, 104, true, 1 }, { 30, 108, true, 2 } },
                        false },
                { "asked more often",
                        { { 0, 100, true, 1 }, { 5, 101.3, true, 1 }, { 10, 102.6, true, 1 },
                                { 15, 104, true, 1 } },
                        false },
                { "a new run of the domain", { { 0, 100, true, 1 }, { 15, 4, true, 1 }, { 30, 8, true, 1 } },
                        false },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                IdleCpu cpu = {};
                bool burning = false;

                for (size_t j = 0; j < ELEMENTSOF(table[i].samples) && table[i].samples[j].used > 0; j++)
                        burning = idle_cpu_sample(&cpu, (uint64_t)(table[i].samples[j].used * 1e6),
                                table[i].samples[j].idle, table[i].samples[j].requests,
                                T0 + table[i].samples[j].at * SEC);
                if (burning != table[i].burning)
                        fail_msg("%s: %i", table[i].what, burning);
        }
}

static void test_usage(void **state _unused_) {
        IdleCpu cpu = {};

        (void)idle_cpu_sample(&cpu, 10 * SEC, true, 1, T0);
        (void)idle_cpu_sample(&cpu, 40 * SEC, false, 2, T0 + 15 * SEC);
        assert_true(cpu.usage > 1.99 && cpu.usage < 2.01);
        idle_cpu_reset(&cpu);
        assert_false(idle_cpu_sample(&cpu, 1 * SEC, true, 2, T0 + 30 * SEC));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_samples),
                cmocka_unit_test(test_usage),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
