/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/bus/machine-object.h"

#include "common/io.h"
#include "common/log.h"
#include "common/vm1.h"

#define REASON_MAX 200

static Keeper *path_keeper(const BusObjects *objects, const char *path) {
        _cleanup_free_ char *name = NULL;

        if (sd_bus_path_decode(path, VM1_MACHINES, &name) <= 0)
                return NULL;
        return roster_keeper(manager_roster(objects->manager), name);
}

/* ---- methods: the object may have gone while the call was authorised, so each looks it up ---- */

static int no_such_machine(sd_bus_error *error) {
        return sd_bus_error_set(error, VM1_ERROR_NO_SUCH_MACHINE, "There is no such machine.");
}

int machine_method_revert(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Keeper *keeper = path_keeper(userdata, sd_bus_message_get_path(message));
        const char *reason;
        int r = sd_bus_message_read(message, "s", &reason);

        if (r < 0)
                return r;
        if (!keeper)
                return no_such_machine(error);
        if (strlen(reason) > REASON_MAX)
                return sd_bus_error_setf(
                        error, SD_BUS_ERROR_INVALID_ARGS, "The reason is longer than %i bytes.", REASON_MAX);
        r = keeper_revert(keeper, REVERT_OPERATOR, message);
        if (r == -EBUSY)
                return sd_bus_error_set(
                        error, VM1_ERROR_BUSY, "Too many callers wait for a revert already.");
        if (r >= 0)
                log_notice("%s asks for a revert of %s: %s", sd_bus_message_get_sender(message),
                        keeper_config(keeper)->name, *reason ? reason : "no reason given");
        return r < 0 ? r : 1;
}

int machine_method_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Keeper *keeper = path_keeper(userdata, sd_bus_message_get_path(message));
        if (!keeper)
                return no_such_machine(error);

        int r = keeper_snapshot(keeper, message);
        if (r == -EBUSY)
                return sd_bus_error_setf(error, VM1_ERROR_BUSY,
                        "%s is %s: a snapshot is taken of a machine that nobody uses and whose guest "
                        "answers.",
                        keeper_config(keeper)->name, keeper_view(keeper).state_name);
        if (r == -EOPNOTSUPP)
                return sd_bus_error_setf(error, VM1_ERROR_REFUSED, "%s has no domain of libvirt's.",
                        keeper_config(keeper)->name);
        return r < 0 ? r : 1;
}

static int set_drained(sd_bus_message *message, const BusObjects *objects, bool drain, sd_bus_error *error) {
        Keeper *keeper = path_keeper(objects, sd_bus_message_get_path(message));
        if (!keeper)
                return no_such_machine(error);

        if (keeper_drain(keeper, drain) < 0)
                return sd_bus_error_setf(error, VM1_ERROR_BUSY,
                        "%s stays as it is: the state of the machines cannot be saved.",
                        keeper_config(keeper)->name);
        return sd_bus_reply_method_return(message, NULL);
}

int machine_method_drain(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return set_drained(message, userdata, true, error);
}

int machine_method_resume(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return set_drained(message, userdata, false, error);
}

/* ---- the object ---- */

static int get_reverts(sd_bus *bus _unused_, const char *path _unused_, const char *interface _unused_,
        const char *property _unused_, sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const uint64_t *counts = *(const uint64_t **)userdata;

        int r = sd_bus_message_open_container(reply, 'a', "{st}");
        for (size_t i = REVERT_NONE + 1; r >= 0 && i < _REVERT_REASON_MAX; i++)
                r = sd_bus_message_append(reply, "{st}", revert_reason_to_name((RevertReason)i), counts[i]);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_leases(sd_bus *bus _unused_, const char *path _unused_, const char *interface _unused_,
        const char *property _unused_, sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const uint64_t *counts = *(const uint64_t **)userdata;

        int r = sd_bus_message_open_container(reply, 'a', "{st}");
        for (size_t i = 0; r >= 0 && i < _OUTCOME_MAX; i++)
                r = sd_bus_message_append(reply, "{st}", outcome_to_name((Outcome)i), counts[i]);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_minutes(sd_bus_message *reply, const Hour *hour, HourCount count, uint64_t now) {
        uint32_t minutes[HOUR_MINUTES];

        for (unsigned i = 0; i < HOUR_MINUTES; i++)
                minutes[i] = hour_get(hour, count, HOUR_MINUTES - 1 - i, now);
        int r = sd_bus_message_open_container(reply, 'e', "sau");
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", hour_count_to_name(count));
        if (r >= 0)
                r = sd_bus_message_append_array(reply, 'u', minutes, sizeof(minutes));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_hour(sd_bus *bus _unused_, const char *path _unused_, const char *interface _unused_,
        const char *property _unused_, sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const Hour *hour = *(const Hour **)userdata;
        uint64_t now = now_monotonic();

        int r = sd_bus_message_open_container(reply, 'a', "{sau}");
        for (size_t i = 0; r >= 0 && i < _HOUR_COUNT_MAX; i++)
                r = append_minutes(reply, hour, (HourCount)i, now);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static const sd_bus_vtable machine_vtable[] = {
        SD_BUS_VTABLE_START(0),
#define PROPERTY(type, member, name, signature, flags)                                                      \
        SD_BUS_PROPERTY(name, signature, NULL, offsetof(BusObjects, seen.member), flags),
        MACHINE_PROPERTIES(PROPERTY)
#undef PROPERTY
        /* Of these a change is not told: they follow Reverts and Requests. */
        SD_BUS_PROPERTY("RevertsByReason", "a{st}", get_reverts, offsetof(BusObjects, seen.reverts_by), 0),
        SD_BUS_PROPERTY("LeasesByOutcome", "a{st}", get_leases, offsetof(BusObjects, seen.ended), 0),
        SD_BUS_PROPERTY("LastHour", "a{sau}", get_hour, offsetof(BusObjects, seen.hour), 0),

        SD_BUS_METHOD_WITH_ARGS("Revert", SD_BUS_ARGS("s", reason), SD_BUS_NO_RESULT, bus_objects_method,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Snapshot", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_objects_method,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                "Drain", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_objects_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                "Resume", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_objects_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("StateChanged", SD_BUS_ARGS("s", old, "s", new, "s", reason), 0),
        SD_BUS_VTABLE_END,
};

/* The properties are read from what is seen of the machine now. */
static int find_machine(sd_bus *bus _unused_, const char *path, const char *interface _unused_,
        void *userdata, void **ret_found, sd_bus_error *error _unused_) {
        BusObjects *objects = userdata;

        Keeper *keeper = path_keeper(objects, path);
        if (!keeper)
                return 0;
        objects->seen = keeper_view(keeper);
        *ret_found = objects;
        return 1;
}

static int enumerate_machines(sd_bus *bus _unused_, const char *prefix _unused_, void *userdata,
        char ***ret_nodes, sd_bus_error *error _unused_) {
        const BusObjects *objects = userdata;
        const Keeper *keeper;
        size_t n = 0, at = 0;

        while (roster_next(manager_roster(objects->manager), &at))
                n++;
        char **nodes = calloc(n + 1, sizeof(*nodes));
        if (!nodes)
                return -ENOMEM;
        n = at = 0;
        while ((keeper = roster_next(manager_roster(objects->manager), &at)))
                if (sd_bus_path_encode(VM1_MACHINES, keeper_config(keeper)->name, &nodes[n]) >= 0)
                        n++;
        *ret_nodes = nodes;
        return 0;
}

int machine_objects_add(BusObjects *objects) {
        int r = sd_bus_add_fallback_vtable(
                objects->bus, NULL, VM1_MACHINES, VM1_MACHINE, machine_vtable, find_machine, objects);
        if (r >= 0)
                r = sd_bus_add_object_manager(objects->bus, NULL, VM1_PATH);
        if (r >= 0)
                r = sd_bus_add_node_enumerator(
                        objects->bus, NULL, VM1_MACHINES, enumerate_machines, objects);
        return r;
}
