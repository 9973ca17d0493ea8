/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/machines.h"

#include <stdio.h>

#define STRING_FIELD(property, field)                                                                       \
        { property, 's', offsetof(MachineInfo, field) }
#define NUMBER_FIELD(property, field)                                                                       \
        { property, 't', offsetof(MachineInfo, field) }
#define COUNT_FIELD(property, field)                                                                        \
        { property, 'u', offsetof(MachineInfo, field) }
#define TRUTH_FIELD(property, field)                                                                        \
        { property, 'b', offsetof(MachineInfo, field) }
#define REAL_FIELD(property, field)                                                                         \
        { property, 'd', offsetof(MachineInfo, field) }
#define COUNTS_FIELD(property, field)                                                                       \
        { property, 'a', offsetof(MachineInfo, field) }
#define HOUR_FIELD(property, field)                                                                         \
        { property, 'h', offsetof(MachineInfo, field) }

static const struct {
        const char *property;
        char type;
        size_t offset;
} fields[] = {
        STRING_FIELD("Name", name),
        STRING_FIELD("Domain", domain),
        STRING_FIELD("Policy", policy),
        STRING_FIELD("State", state),
        STRING_FIELD("StateReason", state_reason),
        STRING_FIELD("Guest", guest),
        STRING_FIELD("Transport", transport),
        STRING_FIELD("LastRevertReason", last_revert_reason),
        STRING_FIELD("LastBeat", last_beat),
        STRING_FIELD("SnapshotMadeBy", snapshot_made_by),
        NUMBER_FIELD("SnapshotUSec", snapshot_usec),
        NUMBER_FIELD("Generation", generation),
        NUMBER_FIELD("Requests", requests),
        NUMBER_FIELD("Reverts", reverts),
        NUMBER_FIELD("RevertFailures", revert_failures),
        NUMBER_FIELD("SpareFailures", spare_failures),
        NUMBER_FIELD("LastRevertUSec", last_revert_usec),
        NUMBER_FIELD("HeartbeatAgeUSec", heartbeat_age_usec),
        COUNT_FIELD("Queue", queue),
        COUNT_FIELD("Leases", leases),
        COUNT_FIELD("Spares", spares),
        TRUTH_FIELD("Drained", drained),
        REAL_FIELD("CPUUsage", cpu_usage),
        COUNTS_FIELD("RevertsByReason", reverts_by_reason),
        COUNTS_FIELD("LeasesByOutcome", leases_by_outcome),
        HOUR_FIELD("LastHour", last_hour),
};

const char *hour_row_name(HourRow row) {
        static const char *const names[_HOUR_ROW_MAX] = {
                [HOUR_ROW_BEATS] = "beats",
                [HOUR_ROW_REQUESTS] = "requests",
                [HOUR_ROW_REVERTS] = "reverts",
        };
        return names[row];
}

static void counts_done(Counts *counts) {
        for (size_t i = 0; i < counts->n; i++)
                free(counts->list[i].name);
        free(counts->list);
        *counts = (Counts){};
}

static void machine_done(MachineInfo *machine) {
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                void *field = (char *)machine + fields[i].offset;
                if (fields[i].type == 's')
                        free(*(char **)field);
                else if (fields[i].type == 'a')
                        counts_done(field);
        }
        free(machine->path);
}

void machines_done(Machines *machines) {
        for (size_t i = 0; i < machines->n; i++)
                machine_done(&machines->machines[i]);
        free(machines->machines);
        *machines = (Machines){};
}

/* All strings are there, so that nobody has to ask. */
static int machine_init(MachineInfo *machine) {
        *machine = (MachineInfo){ .heartbeat_age_usec = USEC_INFINITY };
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (fields[i].type == 's') {
                        char *empty = strdup("");
                        if (!empty)
                                return -ENOMEM;
                        *(char **)((char *)machine + fields[i].offset) = empty;
                }
        return 0;
}

static int set_string(char **to, const char *from) {
        char *copy = strdup(from);

        if (!copy)
                return -ENOMEM;
        free(*to);
        *to = copy;
        return 0;
}

static int machines_add(Machines *machines, const char *name, const char *path, const char *state) {
        MachineInfo *more = reallocarray(machines->machines, machines->n + 1, sizeof(MachineInfo));

        if (!more)
                return -ENOMEM;
        machines->machines = more;

        MachineInfo *machine = &more[machines->n++];
        int r = machine_init(machine);
        if (r >= 0)
                r = set_string(&machine->name, name);
        if (r >= 0)
                r = set_string(&machine->path, path);
        if (r >= 0)
                r = set_string(&machine->state, state);
        return r;
}

static int read_list(sd_bus_message *reply, Machines *machines) {
        const char *name, *path, *state;

        int r = sd_bus_message_enter_container(reply, 'a', "(sos)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(sos)", &name, &path, &state)) > 0)
                r = machines_add(machines, name, path, state);
        return r;
}

int machines_list(Ctl *ctl, Machines *ret) {
        static const char what[] = "list the machines";
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        _cleanup_machines_ Machines machines = {};

        int r = ctl_message(ctl, VM1_PATH, VM1_MANAGER, "ListMachines", &message);
        if (r < 0)
                return ctl_failure(r, what);
        r = ctl_call(ctl, message, CALL_USEC, what, &reply);
        if (r != 0)
                return r;
        r = read_list(reply, &machines);
        if (r < 0)
                return ctl_failure(r, what);
        *ret = machines;
        machines = (Machines){};
        return 0;
}

static int counts_add(Counts *counts, const char *name, uint64_t count) {
        void *more = reallocarray(counts->list, counts->n + 1, sizeof(counts->list[0]));

        if (!more)
                return -ENOMEM;
        counts->list = more;
        counts->list[counts->n].name = strdup(name);
        counts->list[counts->n].count = count;
        return counts->list[counts->n++].name ? 0 : -ENOMEM;
}

static int read_counts(sd_bus_message *reply, Counts *counts) {
        const char *name;
        uint64_t count;

        counts_done(counts);
        int r = sd_bus_message_enter_container(reply, 'v', "a{st}");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "{st}");
        while (r >= 0 && (r = sd_bus_message_read(reply, "{st}", &name, &count)) > 0)
                r = counts_add(counts, name, count);
        if (r >= 0)
                r = sd_bus_message_exit_container(reply);
        return r < 0 ? r : sd_bus_message_exit_container(reply);
}

/* Rows that are not known are passed over; of a row that is longer the end counts. */
static int read_row(sd_bus_message *reply, LastHour *hour) {
        const uint32_t *counts;
        const char *name;
        const void *array;
        size_t size;

        int r = sd_bus_message_read(reply, "s", &name);
        if (r >= 0)
                r = sd_bus_message_read_array(reply, 'u', &array, &size);
        if (r < 0)
                return r;
        counts = array;
        size_t n = size / sizeof(*counts), shown = MIN(n, (size_t)HOUR_MINUTES);
        for (size_t i = 0; i < _HOUR_ROW_MAX; i++)
                if (streq(hour_row_name((HourRow)i), name) && shown > 0)
                        memcpy(&hour->counts[i][HOUR_MINUTES - shown], counts + n - shown,
                                shown * sizeof(*counts));
        hour->known = true;
        return 0;
}

static int read_hour(sd_bus_message *reply, LastHour *hour) {
        *hour = (LastHour){};
        int r = sd_bus_message_enter_container(reply, 'v', "a{sau}");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "{sau}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sau")) > 0) {
                r = read_row(reply, hour);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(reply);
        return r < 0 ? r : sd_bus_message_exit_container(reply);
}

static int read_property(sd_bus_message *reply, MachineInfo *machine) {
        const char *property;

        int r = sd_bus_message_read(reply, "s", &property);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(fields); i++) {
                void *field = (char *)machine + fields[i].offset;
                const char type[] = { fields[i].type, '\0' };
                const char *string;

                if (!streq(fields[i].property, property))
                        continue;
                if (fields[i].type == 'a')
                        return read_counts(reply, field);
                if (fields[i].type == 'h')
                        return read_hour(reply, field);
                if (fields[i].type != 's')
                        return sd_bus_message_read(reply, "v", type, field);
                r = sd_bus_message_read(reply, "v", type, &string);
                return r < 0 ? r : set_string(field, string);
        }
        return r < 0 ? r : sd_bus_message_skip(reply, "v");
}

int machine_read(Ctl *ctl, MachineInfo *machine) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        char what[300];

        (void)snprintf(what, sizeof(what), "read the state of %s", machine->name);
        int r = ctl_message(ctl, machine->path, "org.freedesktop.DBus.Properties", "GetAll", &message);
        if (r >= 0)
                r = sd_bus_message_append(message, "s", VM1_MACHINE);
        if (r < 0)
                return ctl_failure(r, what);
        r = ctl_call(ctl, message, CALL_USEC, what, &reply);
        if (r != 0)
                return r;

        r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                r = read_property(reply, machine);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        return r < 0 ? ctl_failure(r, what) : 0;
}

MachineInfo *machines_find(const Machines *machines, const char *name) {
        for (size_t i = 0; i < machines->n; i++)
                if (streq(machines->machines[i].name, name))
                        return &machines->machines[i];

        fprintf(stderr, "Unknown machine '%s'; there %s", name, machines->n == 1 ? "is" : "are");
        for (size_t i = 0; i < machines->n; i++)
                fprintf(stderr, "%s %s", i > 0 ? "," : "", machines->machines[i].name);
        fprintf(stderr, "%s\n", machines->n == 0 ? " none" : "");
        return NULL;
}

bool machine_is_usable(const MachineInfo *machine) {
        return streq(machine->state, "ready") || streq(machine->state, "busy");
}
