/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics of machines whose properties are at their bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <locale.h>

#include "ctl/metrics.h"

static char empty[] = "", name[] = "vm", state[] = "ready", policy[] = "on-hang";

static MachineInfo machine(void) {
        return (MachineInfo){
                .name = name,
                .state = state,
                .policy = policy,
                .domain = empty,
                .guest = empty,
                .transport = empty,
                .heartbeat_age_usec = USEC_INFINITY,
        };
}

static Text written(MachineInfo *machines, size_t n) {
        const Machines all = { .machines = machines, .n = n };
        Text text = {};

        assert_int_equal(metrics_append(&text, &all), 0);
        return text;
}

#define expect(text, line) assert_non_null(strstr(text_string(text), "\n" line "\n"))

static void test_service_is_down(void **unused _unused_) {
        _cleanup_text_ Text text = {};

        assert_int_equal(metrics_append(&text, NULL), 0);
        assert_string_equal(text_string(&text),
                "# HELP pbotvm_up Whether the watchdog runs.\n# TYPE pbotvm_up gauge\npbotvm_up 0\n");
}

static void test_no_machines(void **unused _unused_) {
        _cleanup_text_ Text text = written(NULL, 0);

        assert_string_equal(text_string(&text),
                "# HELP pbotvm_up Whether the watchdog runs.\n# TYPE pbotvm_up gauge\npbotvm_up 1\n");
}

static void test_labels_are_escaped(void **unused _unused_) {
        char odd[] = "a\"b\\c\nd}e,\xC3\xA9";
        MachineInfo m = machine();

        m.domain = odd;
        _cleanup_text_ Text text = written(&m, 1);
        expect(&text, "pbotvm_machine_info{machine=\"vm\",domain=\"a\\\"b\\\\c\\nd}e,\xC3\xA9\",guest=\"\","
                      "transport=\"\",policy=\"on-hang\"} 1");
}

/* In base units, with a point in every language; what there is none of has no sample, and no heading. */
static void test_numbers(void **unused _unused_) {
        MachineInfo m = machine();

        _cleanup_text_ Text without = written(&m, 1);
        assert_null(strstr(text_string(&without), "heartbeat_age"));
        assert_null(strstr(text_string(&without), "last_revert"));
        assert_null(strstr(text_string(&without), "requests_total"));

        m.heartbeat_age_usec = 1 * USEC_PER_SEC + 50;
        m.last_revert_usec = 1700000000 * USEC_PER_SEC;
        m.generation = UINT64_MAX;
        m.queue = UINT32_MAX;
        m.cpu_usage = 0.25;
        _cleanup_text_ Text text = written(&m, 1);
        expect(&text, "pbotvm_machine_heartbeat_age_seconds{machine=\"vm\"} 1.000050");
        expect(&text, "pbotvm_machine_last_revert_timestamp_seconds{machine=\"vm\"} 1700000000.000000");
        expect(&text, "pbotvm_machine_generation{machine=\"vm\"} 18446744073709551615");
        expect(&text, "pbotvm_machine_waiting_requests{machine=\"vm\"} 4294967295");
        expect(&text, "pbotvm_machine_cpu_usage_ratio{machine=\"vm\"} 0.250000");
}

/* The machines of a metric stand together. */
static void test_groups(void **unused _unused_) {
        char other[] = "other", busy[] = "busy";
        MachineInfo m[] = { machine(), machine() };

        m[1].name = other;
        m[1].state = busy;
        _cleanup_text_ Text text = written(m, 2);
        expect(&text, "pbotvm_machine_leases{machine=\"vm\"} 0\npbotvm_machine_leases{machine=\"other\"} 0");
        expect(&text, "pbotvm_machine_state{machine=\"vm\",state=\"busy\"} 0");
        expect(&text, "pbotvm_machine_state{machine=\"other\",state=\"busy\"} 1");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_service_is_down),
                cmocka_unit_test(test_no_machines),
                cmocka_unit_test(test_labels_are_escaped),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_groups),
        };

        (void)setlocale(LC_ALL, "de_DE.UTF-8");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
