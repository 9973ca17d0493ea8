/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/bus/manager-object.h"

#include "common/utf8.h"
#include "common/vm1.h"
#include "watchdog/bus/error.h"
#include "watchdog/bus/machine-object.h"
#include "watchdog/desk.h"

/* Of what is shown in an error: the bus takes none that is not UTF-8, whole. */
#define NAME_SIZE_MAX 200
#define ERRORS_SIZE_MAX ((size_t)4000)

/* ---- Lease ---- */

/* One option: its name is read, its value is next. Unknown ones are skipped, for clients of tomorrow. */
static int read_option(sd_bus_message *message, const char *name, uint64_t *wait_usec, Asker *asker) {
        const struct {
                const char *name;
                char **value;
        } strings[] = {
                { "nick", &asker->nick },
                { "channel", &asker->channel },
                { "language", &asker->language },
        };

        if (streq(name, "wait_usec"))
                return sd_bus_message_read(message, "v", "t", wait_usec);
        if (streq(name, "operator")) {
                int is_operator;
                int r = sd_bus_message_read(message, "v", "b", &is_operator);
                asker->is_operator = r >= 0 && is_operator;
                return r;
        }
        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                if (streq(name, strings[i].name)) {
                        const char *value;
                        int r = sd_bus_message_read(message, "v", "s", &value);
                        return r < 0 ? r : asker_set(strings[i].value, value);
                }
        return sd_bus_message_skip(message, "v");
}

static int read_options(sd_bus_message *message, uint64_t *wait_usec, Asker *asker) {
        int r = sd_bus_message_enter_container(message, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                const char *name;
                r = sd_bus_message_read(message, "s", &name);
                if (r >= 0)
                        r = read_option(message, name, wait_usec, asker);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int method_lease(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const BusObjects *objects = userdata;
        const Config *config = manager_config(objects->manager);
        _cleanup_(asker_done)
                Asker asker = { .pid = gate_sender_pid(objects->gate, sd_bus_message_get_sender(message)) };
        uint64_t wait_usec = LEASE_WAIT_DEFAULT_USEC;
        const char *wanted;

        int r = sd_bus_message_read(message, "s", &wanted);
        if (r >= 0)
                r = read_options(message, &wait_usec, &asker);
        if (r < 0)
                return r;
        if (manager_is_stopping(objects->manager))
                return bus_error_reply(message, VM1_ERROR_REFUSED);

        uint64_t left_usec = manager_refuse(objects->manager, &asker);
        if (left_usec > 0)
                return bus_error_reply_too_many_reverts(message, left_usec);

        const char *one[] = { wanted, NULL };
        const AliasConfig *alias = config_alias(config, wanted);
        if (!alias && !config_machine(config, wanted)) {
                char shown[NAME_SIZE_MAX + 1];
                utf8_copy_line(shown, sizeof(shown), wanted);
                return sd_bus_error_setf(error, VM1_ERROR_NO_SUCH_MACHINE, "Unknown machine '%s'.", shown);
        }

        r = desk_request(manager_desk(objects->manager), message, wanted,
                alias ? (const char *const *)alias->machines : one, wait_usec, config->queue_max, &asker);
        if (r == -EBUSY)
                return bus_error_reply(message, VM1_ERROR_BUSY);
        return r < 0 ? r : 1;
}

static int method_release(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const BusObjects *objects = userdata;
        const char *id, *name;

        int r = sd_bus_message_read(message, "ss", &id, &name);
        if (r < 0)
                return r;
        int outcome = outcome_from_string(name);
        if (outcome < 0) {
                char shown[NAME_SIZE_MAX + 1];
                utf8_copy_line(shown, sizeof(shown), name);
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                        "Unknown outcome '%s': expected clean, timed-out, contained, killed, "
                        "protocol-error, lost, unsent or abandoned.",
                        shown);
        }

        r = desk_release(
                manager_desk(objects->manager), sd_bus_message_get_sender(message), id, (Outcome)outcome);
        if (r == -ENOENT)
                return sd_bus_error_set(error, VM1_ERROR_REFUSED,
                        "This connection has no such lease; it may have been taken back.");
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

/* ---- the rest ---- */

static int append_machine(sd_bus_message *reply, Keeper *keeper) {
        MachineView view = keeper_view(keeper);
        _cleanup_free_ char *path = NULL;

        int r = sd_bus_path_encode(VM1_MACHINES, view.name, &path);
        return r < 0 ? r : sd_bus_message_append(reply, "(sos)", view.name, path, view.state_name);
}

static int method_list(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        const BusObjects *objects = userdata;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Keeper *keeper;
        size_t at = 0;

        int r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sos)");
        while (r >= 0 && (keeper = roster_next(manager_roster(objects->manager), &at)))
                r = append_machine(reply, keeper);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        return r < 0 ? r : 1;
}

static int method_reload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const BusObjects *objects = userdata;
        _cleanup_text_ Text errors = {}, shown = {};

        int r = manager_reload(objects->manager, &errors);
        if (r < 0) {
                utf8_append_valid(&shown, text_string(&errors), MIN(errors.size, ERRORS_SIZE_MAX));
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                        "The configuration is wrong, the old one stays:\n%s", text_string(&shown));
        }
        return sd_bus_reply_method_return(message, NULL);
}

static int get_refused(sd_bus *bus _unused_, const char *path _unused_, const char *interface _unused_,
        const char *property _unused_, sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const BusObjects *objects = userdata;
        OffenderView view;
        size_t at = 0;

        int r = sd_bus_message_open_container(reply, 'a', "(ssut)");
        while (r >= 0 && manager_next_refused(objects->manager, &at, &view))
                r = sd_bus_message_append(
                        reply, "(ssut)", view.nick, view.channel, view.reverts, view.left_usec);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static const GateMethod gate_methods[] = {
        { VM1_MANAGER, "Lease", ACTION_USE, method_lease },
        { VM1_MANAGER, "Release", ACTION_USE, method_release },
        { VM1_MANAGER, "Reload", ACTION_MANAGE, method_reload },
        { VM1_MACHINE, "Revert", ACTION_REVERT, machine_method_revert },
        { VM1_MACHINE, "Snapshot", ACTION_SNAPSHOT, machine_method_snapshot },
        { VM1_MACHINE, "Drain", ACTION_MANAGE, machine_method_drain },
        { VM1_MACHINE, "Resume", ACTION_MANAGE, machine_method_resume },
        {},
};

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        /* Nick, channel, reverts, and for how many usec more: another one each time. */
        SD_BUS_PROPERTY("RefusedNicks", "a(ssut)", get_refused, 0, 0),
        SD_BUS_METHOD_WITH_ARGS("Lease", SD_BUS_ARGS("s", machine, "a{sv}", options),
                SD_BUS_RESULT("h", descriptor, "s", lease, "a{sv}", info), bus_objects_method,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_ARGS("s", lease, "s", outcome), SD_BUS_NO_RESULT,
                bus_objects_method, SD_BUS_VTABLE_UNPRIVILEGED),
        /* Changes nothing, so everybody may. */
        SD_BUS_METHOD_WITH_ARGS("ListMachines", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sos)", machines),
                method_list, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                "Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_objects_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

/* Unique names begin with a colon; one whose new owner is nobody has left the bus. */
static int on_name_gone(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        const BusObjects *objects = userdata;
        const char *name;

        if (sd_bus_message_read(message, "s", &name) >= 0 && name[0] == ':') {
                gate_sender_gone(objects->gate, name);
                manager_sender_gone(objects->manager, name);
        }
        return 0;
}

int bus_objects_new(Manager *manager, sd_bus *bus, BusObjects **ret) {
        _cleanup_(bus_objects_freep) BusObjects *objects = calloc(1, sizeof(*objects));
        if (!objects)
                return -ENOMEM;
        objects->bus = sd_bus_ref(bus);
        objects->manager = manager;

        int r = gate_new(bus, gate_methods, objects, &objects->gate);
        if (r >= 0)
                r = sd_bus_add_object_vtable(bus, NULL, VM1_PATH, VM1_MANAGER, manager_vtable, objects);
        if (r >= 0)
                r = machine_objects_add(objects);
        if (r >= 0)
                r = sd_bus_add_match(bus, NULL,
                        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''",
                        on_name_gone, objects);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(objects);
        return 0;
}

BusObjects *bus_objects_free(BusObjects *objects) {
        if (!objects)
                return NULL;
        gate_free(objects->gate);
        sd_bus_unref(objects->bus);
        free(objects);
        return NULL;
}
