/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/metrics.h"

#include <inttypes.h>

typedef enum SampleKind {
        SAMPLE_COUNT,  /* uint32_t */
        SAMPLE_NUMBER, /* uint64_t */
        SAMPLE_AGE,    /* uint64_t, usec; none if USEC_INFINITY */
        SAMPLE_TIME,   /* uint64_t, usec since 1970; none if 0 */
        SAMPLE_RATIO,  /* double */
        SAMPLE_COUNTS, /* Counts, with a label for each of its names */
        SAMPLE_STATE,  /* the machine's: 1 for the one that it is in */
        SAMPLE_INFO,   /* what is known of it in words, as labels */
} SampleKind;

static const struct {
        const char *name, *type, *help;
        SampleKind kind;
        size_t offset;
        const char *label; /* of SAMPLE_COUNTS */
} metrics[] = {
#define FIELD(member) offsetof(MachineInfo, member)
        { "pbotvm_machine_info", "gauge", "What is known of the machine.", SAMPLE_INFO },
        { "pbotvm_machine_state", "gauge", "Whether the machine is in this state.", SAMPLE_STATE },
        { "pbotvm_machine_generation", "gauge", "The generation; every revert begins a greater one.",
                SAMPLE_NUMBER, FIELD(generation) },
        { "pbotvm_machine_leases", "gauge", "Requests that run.", SAMPLE_COUNT, FIELD(leases) },
        { "pbotvm_machine_waiting_requests", "gauge", "Requests that wait.", SAMPLE_COUNT, FIELD(queue) },
        { "pbotvm_machine_requests_total", "counter", "Requests that were run, by how their lease ended.",
                SAMPLE_COUNTS, FIELD(leases_by_outcome), "outcome" },
        { "pbotvm_machine_reverts_total", "counter", "Reverts to the snapshot, by why.", SAMPLE_COUNTS,
                FIELD(reverts_by_reason), "reason" },
        { "pbotvm_machine_revert_failures_total", "counter", "Reverts that failed.", SAMPLE_NUMBER,
                FIELD(revert_failures) },
        { "pbotvm_machine_last_revert_timestamp_seconds", "gauge", "When it was reverted last.", SAMPLE_TIME,
                FIELD(last_revert_usec) },
        { "pbotvm_machine_heartbeat_age_seconds", "gauge", "Since the last heartbeat.", SAMPLE_AGE,
                FIELD(heartbeat_age_usec) },
        { "pbotvm_machine_cpu_usage_ratio", "gauge", "Of one processor, by the domain.", SAMPLE_RATIO,
                FIELD(cpu_usage) },
#undef FIELD
};

static void append_head(Text *text, const char *name, const char *type, const char *help) {
        text_append_printf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* NAME="VALUE", with what has a meaning in it escaped. */
static void append_label(Text *text, const char *name, const char *value) {
        text_append_printf(text, "%s=\"", name);
        for (; *value; value++) {
                if (*value == '\\' || *value == '"' || *value == '\n')
                        text_append_char(text, '\\');
                text_append_char(text, *value == '\n' ? 'n' : *value);
        }
        text_append_char(text, '"');
}

/* What comes before the value of a sample that has no label, or one, beside the machine's. */
static void append_name(
        Text *text, const char *metric, const MachineInfo *machine, const char *label, const char *value) {
        text_append_printf(text, "%s{", metric);
        append_label(text, "machine", machine->name);
        if (label) {
                text_append_char(text, ',');
                append_label(text, label, value);
        }
        text_append_string(text, "} ");
}

/* Not by %f: the decimal point is not that of the caller's language. */
static void append_seconds(Text *text, uint64_t usec) {
        text_append_printf(text, "%" PRIu64 ".%06" PRIu64 "\n", usec / USEC_PER_SEC, usec % USEC_PER_SEC);
}

static void append_states(Text *text, const char *metric, const MachineInfo *machine) {
        static const char *const states[] = { "offline", "starting", "ready", "busy", "reverting", "failed",
                "drained" };

        for (size_t i = 0; i < ELEMENTSOF(states); i++) {
                append_name(text, metric, machine, "state", states[i]);
                text_append_printf(text, "%d\n", streq(states[i], machine->state));
        }
}

static void append_info(Text *text, const char *metric, const MachineInfo *machine) {
        const struct {
                const char *label, *value;
        } labels[] = {
                { "domain", machine->domain },
                { "guest", machine->guest },
                { "transport", machine->transport },
                { "policy", machine->policy },
        };

        text_append_printf(text, "%s{", metric);
        append_label(text, "machine", machine->name);
        for (size_t i = 0; i < ELEMENTSOF(labels); i++) {
                text_append_char(text, ',');
                append_label(text, labels[i].label, labels[i].value);
        }
        text_append_string(text, "} 1\n");
}

static void append_counts(Text *text, const char *metric, const MachineInfo *machine, const char *label,
        const Counts *counts) {
        for (size_t i = 0; i < counts->n; i++) {
                append_name(text, metric, machine, label, counts->list[i].name);
                text_append_printf(text, "%" PRIu64 "\n", counts->list[i].count);
        }
}

/* The samples of a metric for a machine. */
static void append_samples(Text *text, size_t i, const MachineInfo *machine) {
        const void *field = (const char *)machine + metrics[i].offset;
        const char *name = metrics[i].name;
        uint64_t number = 0;

        switch (metrics[i].kind) {
        case SAMPLE_INFO:
                append_info(text, name, machine);
                return;
        case SAMPLE_STATE:
                append_states(text, name, machine);
                return;
        case SAMPLE_COUNTS:
                append_counts(text, name, machine, metrics[i].label, field);
                return;
        case SAMPLE_COUNT:
                number = *(const uint32_t *)field;
                break;
        case SAMPLE_NUMBER:
                number = *(const uint64_t *)field;
                break;
        case SAMPLE_RATIO:
                append_name(text, name, machine, NULL, NULL);
                append_seconds(text, (uint64_t)(*(const double *)field * (double)USEC_PER_SEC));
                return;
        case SAMPLE_AGE:
        case SAMPLE_TIME:
                number = *(const uint64_t *)field;
                if (number == (metrics[i].kind == SAMPLE_AGE ? USEC_INFINITY : 0))
                        return;
                append_name(text, name, machine, NULL, NULL);
                append_seconds(text, number);
                return;
        }
        append_name(text, name, machine, NULL, NULL);
        text_append_printf(text, "%" PRIu64 "\n", number);
}

int metrics_append(Text *text, const Machines *machines) {
        append_head(text, "pbotvm_up", "gauge", "Whether the watchdog runs.");
        text_append_printf(text, "pbotvm_up %d\n", machines != NULL);

        for (size_t i = 0; machines && i < ELEMENTSOF(metrics); i++) {
                _cleanup_text_ Text samples = {};
                for (size_t m = 0; m < machines->n; m++)
                        append_samples(&samples, i, &machines->machines[m]);
                if (samples.size > 0)
                        append_head(text, metrics[i].name, metrics[i].type, metrics[i].help);
                text_append_text(text, &samples);
        }
        return text_error(text);
}
