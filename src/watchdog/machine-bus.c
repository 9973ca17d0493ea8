/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/machine-bus.h"

#include "common/io.h"
#include "common/log.h"
#include "common/vm1.h"
#include "watchdog/gate.h"

#define REASON_MAX 200

/* ---- properties ---- */

static int get_name(sd_bus *bus _unused_, const char *path _unused_, const char *interface _unused_,
        const char *property _unused_, sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const Keeper *keeper = userdata;
        return sd_bus_message_append(reply, "s", keeper->config->name);
}

static int get_domain(sd_bus *bus _unused_, const char *path _unused_, const char *interface _unused_,
        const char *property _unused_, sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const Keeper *keeper = userdata;
        return sd_bus_message_append(reply, "s", keeper->config->domain ? keeper->config->domain : "");
}

static int get_string(sd_bus *bus _unused_, const char *path _unused_, const char *interface _unused_,
        const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        Keeper *keeper = userdata;
        const struct {
                const char *property;
                const char *value;
        } table[] = {
                { "State", machine_state_to_string(keeper_state(keeper)) },
                { "StateReason", keeper_reason(keeper) },
                { "Transport", keeper_transport(keeper) },
                { "Guest", guest_kind_to_string(keeper_guest(keeper)) },
                { "Policy", revert_policy_to_string(keeper->config->policy) },
                { "LastRevertReason", revert_reason_to_string(keeper->machine.last_reason) },
                { "LastBeat", pulse_heartbeat(keeper->pulse)->last },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (streq(table[i].property, property))
                        return sd_bus_message_append(reply, "s", table[i].value);
        return -EINVAL;
}

/* Since the last beat; USEC_INFINITY when there was none in this generation. */
static uint64_t beat_age(const Keeper *keeper) {
        uint64_t beat = pulse_heartbeat(keeper->pulse)->beat_usec;
        return beat > 0 ? now_monotonic() - beat : USEC_INFINITY;
}

static int get_number(sd_bus *bus _unused_, const char *path _unused_, const char *interface _unused_,
        const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const Keeper *keeper = userdata;
        const struct {
                const char *property;
                uint64_t value;
        } table[] = {
                { "Generation", keeper->machine.generation },
                { "HeartbeatAgeUSec", beat_age(keeper) },
                { "Requests", keeper->machine.requests },
                { "Reverts", keeper->machine.reverts },
                { "RevertFailures", keeper->machine.revert_failures },
                { "LastRevertUSec", keeper->last_revert_usec },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (streq(table[i].property, property))
                        return sd_bus_message_append(reply, "t", table[i].value);
        return -EINVAL;
}

static int get_count(sd_bus *bus _unused_, const char *path _unused_, const char *interface _unused_,
        const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const Keeper *keeper = userdata;
        uint32_t value = streq(property, "Queue")
                                 ? (uint32_t)queue_count(&keeper->manager->queue, keeper->config->name)
                                 : keeper->machine.leases;
        return sd_bus_message_append(reply, "u", value);
}

static int get_cpu(sd_bus *bus _unused_, const char *path _unused_, const char *interface _unused_,
        const char *property _unused_, sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const Keeper *keeper = userdata;
        return sd_bus_message_append(reply, "d", keeper->cpu.usage);
}

/* ---- methods ---- */

/* The object may have gone while the call was authorised, so it is looked up by its path. */
static Keeper *message_keeper(Manager *manager, sd_bus_message *message) {
        _cleanup_free_ char *name = NULL;

        if (sd_bus_path_decode(sd_bus_message_get_path(message), VM1_MACHINES, &name) <= 0)
                return NULL;
        return manager_keeper(manager, name);
}

static int no_such_machine(sd_bus_error *error) {
        return sd_bus_error_set(error, VM1_ERROR_NO_SUCH_MACHINE, "There is no such machine.");
}

int machine_method_revert(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Keeper *keeper = message_keeper(userdata, message);
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
                        keeper->config->name, *reason ? reason : "no reason given");
        return r < 0 ? r : 1;
}

int machine_method_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Keeper *keeper = message_keeper(userdata, message);
        if (!keeper)
                return no_such_machine(error);

        int r = keeper_snapshot(keeper, message);
        if (r == -EBUSY)
                return sd_bus_error_setf(error, VM1_ERROR_BUSY,
                        "%s is %s: a snapshot is taken of a machine that is ready or drained.",
                        keeper->config->name, machine_state_to_string(keeper_state(keeper)));
        if (r == -EOPNOTSUPP)
                return sd_bus_error_setf(
                        error, VM1_ERROR_REFUSED, "%s has no domain of libvirt's.", keeper->config->name);
        return r < 0 ? r : 1;
}

static int set_drained(sd_bus_message *message, Manager *manager, bool drain, sd_bus_error *error) {
        Keeper *keeper = message_keeper(manager, message);
        if (!keeper)
                return no_such_machine(error);

        if (keeper_drain(keeper, drain) < 0)
                return sd_bus_error_setf(error, VM1_ERROR_BUSY,
                        "%s stays as it is: the state of the machines cannot be saved.",
                        keeper->config->name);
        return sd_bus_reply_method_return(message, NULL);
}

int machine_method_drain(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return set_drained(message, userdata, true, error);
}

int machine_method_resume(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return set_drained(message, userdata, false, error);
}

/* ---- the object ---- */

static int on_method(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Keeper *keeper = userdata;
        return gate_method(message, keeper->manager, error);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define CONSTANT SD_BUS_VTABLE_PROPERTY_CONST

static const sd_bus_vtable machine_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Name", "s", get_name, 0, CONSTANT),
        SD_BUS_PROPERTY("Domain", "s", get_domain, 0, CHANGES),
        SD_BUS_PROPERTY("Policy", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("State", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("StateReason", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Generation", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("Guest", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Transport", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Queue", "u", get_count, 0, CHANGES),
        SD_BUS_PROPERTY("Leases", "u", get_count, 0, CHANGES),
        SD_BUS_PROPERTY("Requests", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("Reverts", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("RevertFailures", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("LastRevertUSec", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("LastRevertReason", "s", get_string, 0, CHANGES),
        /* These are never the same twice. */
        SD_BUS_PROPERTY("LastBeat", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("HeartbeatAgeUSec", "t", get_number, 0, 0),
        SD_BUS_PROPERTY("CPUUsage", "d", get_cpu, 0, 0),

        SD_BUS_METHOD_WITH_ARGS(
                "Revert", SD_BUS_ARGS("s", reason), SD_BUS_NO_RESULT, on_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                "Snapshot", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                "Drain", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                "Resume", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("StateChanged", SD_BUS_ARGS("s", old, "s", new, "s", reason), 0),
        SD_BUS_VTABLE_END,
};

static int find_machine(sd_bus *bus _unused_, const char *path, const char *interface _unused_,
        void *userdata, void **ret_found, sd_bus_error *error _unused_) {
        _cleanup_free_ char *name = NULL;

        if (sd_bus_path_decode(path, VM1_MACHINES, &name) <= 0)
                return 0;
        Keeper *keeper = manager_keeper(userdata, name);
        if (!keeper)
                return 0;
        *ret_found = keeper;
        return 1;
}

static int enumerate_machines(sd_bus *bus _unused_, const char *prefix _unused_, void *userdata,
        char ***ret_nodes, sd_bus_error *error _unused_) {
        const Manager *manager = userdata;
        char **nodes = calloc(manager->n_keepers + 1, sizeof(*nodes));
        if (!nodes)
                return -ENOMEM;

        for (size_t i = 0, n = 0; i < manager->n_keepers; i++)
                if (!manager->keepers[i]->retired && (nodes[n] = strdup(manager->keepers[i]->path)))
                        n++;
        *ret_nodes = nodes;
        return 0;
}

void machine_bus_announce(const Keeper *keeper, bool there) {
        if (!keeper->manager->started)
                return;
        if (there)
                (void)sd_bus_emit_interfaces_added(keeper->manager->bus, keeper->path, VM1_MACHINE, NULL);
        else
                (void)sd_bus_emit_interfaces_removed(keeper->manager->bus, keeper->path, VM1_MACHINE, NULL);
}

int machine_bus_add(Manager *manager) {
        int r = sd_bus_add_fallback_vtable(
                manager->bus, NULL, VM1_MACHINES, VM1_MACHINE, machine_vtable, find_machine, manager);
        if (r >= 0)
                r = sd_bus_add_object_manager(manager->bus, NULL, VM1_PATH);
        if (r >= 0)
                r = sd_bus_add_node_enumerator(
                        manager->bus, NULL, VM1_MACHINES, enumerate_machines, manager);
        return r;
}
