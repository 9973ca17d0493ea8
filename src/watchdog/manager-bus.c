/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/manager-bus.h"

#include "common/log.h"
#include "common/vm1.h"
#include "watchdog/lease.h"
#include "watchdog/machine-bus.h"

/* What a client says about itself is for the log: the rest is cut off. */
#define ASKER_SIZE_MAX 128
#define NAME_SIZE_MAX 200

/* ---- Lease ---- */

/* Replaces *ret by a copy that is fit for a log. */
static int copy_text(const char *text, char **ret) {
        char *copy = strndup(text, ASKER_SIZE_MAX);
        if (!copy)
                return -ENOMEM;
        for (char *p = copy; *p; p++)
                if ((unsigned char)*p < ' ' || *p == 0x7f)
                        *p = '?';
        free(*ret);
        *ret = copy;
        return 0;
}

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
        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                if (streq(name, strings[i].name)) {
                        const char *value;
                        int r = sd_bus_message_read(message, "v", "s", &value);
                        return r < 0 ? r : copy_text(value, strings[i].value);
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
        Manager *manager = userdata;
        _cleanup_(asker_done)
                Asker asker = { .pid = gate_sender_pid(manager->gate, sd_bus_message_get_sender(message)) };
        uint64_t wait_usec = LEASE_WAIT_DEFAULT_USEC;
        const char *wanted;

        int r = sd_bus_message_read(message, "s", &wanted);
        if (r >= 0)
                r = read_options(message, &wait_usec, &asker);
        if (r < 0)
                return r;
        if (manager->stopping)
                return vm1_error_reply(message, VM1_ERROR_REFUSED);

        const char *one[] = { wanted, NULL };
        const AliasConfig *alias = config_alias(manager->config, wanted);
        if (!alias && !config_machine(manager->config, wanted))
                return sd_bus_error_setf(
                        error, VM1_ERROR_NO_SUCH_MACHINE, "Unknown machine '%.*s'.", NAME_SIZE_MAX, wanted);

        r = lease_request(manager, message, wanted, alias ? (const char *const *)alias->machines : one,
                wait_usec, &asker);
        if (r == -EBUSY)
                return vm1_error_reply(message, VM1_ERROR_BUSY);
        return r < 0 ? r : 1;
}

static int method_release(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *id, *name;

        int r = sd_bus_message_read(message, "ss", &id, &name);
        if (r < 0)
                return r;
        int outcome = outcome_from_string(name);
        if (outcome < 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                        "Unknown outcome '%.*s': expected clean, timed-out, contained, killed, "
                        "protocol-error, "
                        "lost or abandoned.",
                        NAME_SIZE_MAX, name);

        r = lease_release(userdata, sd_bus_message_get_sender(message), id, (Outcome)outcome);
        if (r == -ENOENT)
                return sd_bus_error_set(error, VM1_ERROR_REFUSED,
                        "This connection has no such lease; it may have been taken back.");
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

/* ---- the rest ---- */

static int method_list(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        const Manager *manager = userdata;
        sd_bus_message *reply = NULL;

        int r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sos)");
        for (size_t i = 0; r >= 0 && i < manager->n_keepers; i++) {
                const Keeper *k = manager->keepers[i];
                if (!k->retired)
                        r = sd_bus_message_append(reply, "(sos)", k->config->name, k->path,
                                machine_state_to_string(keeper_state(k)));
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r < 0 ? r : 1;
}

static int method_reload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_text_ Text errors = {};

        int r = manager_reload(userdata, &errors);
        if (r < 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                        "The configuration is wrong, the old one stays:\n%.*s", (int)MIN(errors.size, 4000u),
                        text_string(&errors));
        return sd_bus_reply_method_return(message, NULL);
}

const GateMethod manager_gate_methods[] = {
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
        SD_BUS_METHOD_WITH_ARGS("Lease", SD_BUS_ARGS("s", machine, "a{sv}", options),
                SD_BUS_RESULT("h", descriptor, "s", lease, "a{sv}", info), gate_method,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_ARGS("s", lease, "s", outcome), SD_BUS_NO_RESULT,
                gate_method, SD_BUS_VTABLE_UNPRIVILEGED),
        /* Changes nothing, so everybody may. */
        SD_BUS_METHOD_WITH_ARGS("ListMachines", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sos)", machines),
                method_list, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                "Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, gate_method, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

/* Unique names begin with a colon; one whose new owner is nobody has left the bus. */
static int on_name_gone(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        Manager *manager = userdata;
        const char *name;

        if (sd_bus_message_read(message, "s", &name) >= 0 && name[0] == ':') {
                gate_sender_gone(manager->gate, name);
                lease_sender_gone(manager, name);
                for (size_t i = 0; i < manager->n_keepers; i++)
                        keeper_sender_gone(manager->keepers[i], name);
        }
        return 0;
}

int manager_bus_add(Manager *manager) {
        int r = sd_bus_add_object_vtable(manager->bus, NULL, VM1_PATH, VM1_MANAGER, manager_vtable, manager);
        if (r >= 0)
                r = machine_bus_add(manager);
        if (r >= 0)
                r = sd_bus_add_match(manager->bus, NULL,
                        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''",
                        on_name_gone, manager);
        return r;
}
