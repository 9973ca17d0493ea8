/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/report.h"

/* A number, or null where there is none. */
static void put_usec(JsonWriter *writer, const char *name, uint64_t usec, bool known) {
        json_key(writer, name);
        if (known)
                json_put_integer(writer, (int64_t)MIN(usec, (uint64_t)INT64_MAX));
        else
                json_put_null(writer);
}

void report_string(JsonWriter *writer, const char *name, const char *value) {
        json_key(writer, name);
        json_put_string(writer, isempty(value) ? NULL : value);
}

static void put_number(JsonWriter *writer, const char *name, uint64_t value) {
        put_usec(writer, name, value, true);
}

static void put_counts(JsonWriter *writer, const char *name, const Counts *counts) {
        json_key(writer, name);
        json_open_object(writer);
        for (size_t i = 0; i < counts->n; i++)
                put_number(writer, counts->list[i].name, counts->list[i].count);
        json_close_object(writer);
}

static void put_hour(JsonWriter *writer, const LastHour *hour) {
        json_key(writer, "last_hour");
        if (!hour->known) {
                json_put_null(writer);
                return;
        }
        json_open_object(writer);
        for (size_t i = 0; i < _HOUR_ROW_MAX; i++) {
                json_key(writer, hour_row_name((HourRow)i));
                json_open_array(writer);
                for (size_t k = 0; k < HOUR_MINUTES; k++)
                        json_put_integer(writer, hour->counts[i][k]);
                json_close_array(writer);
        }
        json_close_object(writer);
}

static void put_machine(JsonWriter *writer, const MachineInfo *machine) {
        json_open_object(writer);
        report_string(writer, "name", machine->name);
        report_string(writer, "domain", machine->domain);
        report_string(writer, "state", machine->state);
        report_string(writer, "state_reason", machine->state_reason);
        json_key(writer, "drained");
        json_put_boolean(writer, machine->drained);
        put_number(writer, "generation", machine->generation);
        report_string(writer, "guest", machine->guest);
        report_string(writer, "transport", machine->transport);
        report_string(writer, "policy", machine->policy);
        put_number(writer, "leases", machine->leases);
        put_number(writer, "queue", machine->queue);
        put_number(writer, "requests", machine->requests);
        put_number(writer, "reverts", machine->reverts);
        put_number(writer, "revert_failures", machine->revert_failures);
        put_number(writer, "spares", machine->spares);
        put_number(writer, "spare_failures", machine->spare_failures);
        put_usec(writer, "last_revert_usec", machine->last_revert_usec, machine->last_revert_usec > 0);
        report_string(writer, "last_revert_reason", machine->last_revert_reason);
        put_usec(writer, "snapshot_usec", machine->snapshot_usec, machine->snapshot_usec > 0);
        report_string(writer, "snapshot_made_by", machine->snapshot_made_by);
        put_usec(writer, "heartbeat_age_usec", machine->heartbeat_age_usec,
                machine->heartbeat_age_usec != USEC_INFINITY);
        report_string(writer, "last_beat", machine->last_beat);
        put_number(writer, "cpu_percent", (uint64_t)(machine->cpu_usage * 100));
        put_counts(writer, "reverts_by_reason", &machine->reverts_by_reason);
        put_counts(writer, "leases_by_outcome", &machine->leases_by_outcome);
        put_hour(writer, &machine->last_hour);
        json_close_object(writer);
}

int report_finish(JsonWriter *writer, Text *text) {
        int r = json_writer_finish(writer, text);

        if (r >= 0 && text->size > 0 && text->data[text->size - 1] != '\n')
                text_append_char(text, '\n');
        return r < 0 ? r : text_error(text);
}

int report_one(const MachineInfo *machine, Text *text) {
        _cleanup_(json_writer_freep) JsonWriter *writer = json_writer_new(isatty(STDOUT_FILENO));

        put_machine(writer, machine);
        return report_finish(writer, text);
}

int report_list(const MachineInfo *machines, size_t n, Text *text) {
        _cleanup_(json_writer_freep) JsonWriter *writer = json_writer_new(isatty(STDOUT_FILENO));

        json_open_array(writer);
        for (size_t i = 0; i < n; i++)
                put_machine(writer, &machines[i]);
        json_close_array(writer);
        return report_finish(writer, text);
}
