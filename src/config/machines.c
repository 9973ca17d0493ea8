/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* machines and aliases of the configuration file. */
#include "config/config-private.h"

#include "paths.h"

#define NAME_MAX_SIZE 64

bool machine_name_valid(const char *name) {
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-";
        size_t n = strlen(name);

        return n > 0 && n <= NAME_MAX_SIZE && strspn(name, allowed) == n && name[0] != '.' && name[0] != '-';
}

bool config_knows(const Config *config, const char *name) {
        return config_machine(config, name) || config_alias(config, name);
}

void *config_array_grow(ConfigReader *reader, void **array, size_t *n, size_t size) {
        char *p = reallocarray(*array, *n + 1, size);
        if (!p) {
                reader->out_of_memory = true;
                return NULL;
        }
        *array = p;
        return memset(p + size * (*n)++, 0, size);
}

static _printf_(3, 4) void set_channel(ConfigReader *reader, char **to, const char *format, ...) {
        _cleanup_text_ Text path = {};
        va_list ap;

        va_start(ap, format);
        text_append_vprintf(&path, format, ap);
        va_end(ap);
        config_set_string(reader, to, text_string(&path));
}

MachineConfig *config_add_machine(ConfigReader *reader, Config *config, const char *name) {
        void *array = config->machines;
        MachineConfig *m = config_array_grow(reader, &array, &config->n_machines, sizeof(*m));

        config->machines = array;
        if (!m)
                return NULL;
        m->vport = 5555;
        m->timeout_usec = 10 * USEC_PER_SEC;
        m->spares = 1;
        m->limits = JOB_LIMITS_UNSET;
        config_set_string(reader, &m->name, name);
        config_set_string(reader, &m->domain, name);
        config_set_string(reader, &m->uri, "qemu:///system");
        config_set_string(reader, &m->snapshot, "1");
        config_set_string(reader, &m->addr, "127.0.0.1");
        set_channel(reader, &m->channel_data, PBOTVM_CHANNEL_DIR "/%s.data", name);
        set_channel(reader, &m->channel_heart, PBOTVM_CHANNEL_DIR "/%s.heart", name);
        return m;
}

static AliasConfig *add_alias(ConfigReader *reader, Config *config, const char *name) {
        void *array = config->aliases;
        AliasConfig *a = config_array_grow(reader, &array, &config->n_aliases, sizeof(*a));

        config->aliases = array;
        if (!a)
                return NULL;
        config_set_string(reader, &a->name, name);
        return a;
}

/* Adds a machine to a pool; the list stays ended by NULL. */
static void alias_add(ConfigReader *reader, AliasConfig *alias, const char *machine) {
        size_t n = 0;
        while (alias->machines && alias->machines[n])
                n++;

        char **list = reallocarray(alias->machines, n + 2, sizeof(*list));
        if (!list) {
                reader->out_of_memory = true;
                return;
        }
        alias->machines = list;
        list[n] = list[n + 1] = NULL;
        config_set_string(reader, &list[n], machine);
}

void config_add_alias(ConfigReader *reader, Config *config, const char *name, const char *machine) {
        AliasConfig *a = add_alias(reader, config, name);
        if (a)
                alias_add(reader, a, machine);
}

void config_add_shipped(ConfigReader *reader, Config *config) {
        (void)config_add_machine(reader, config, "pbot-vm");
        (void)config_add_machine(reader, config, "pbot-test-vm");
        config_add_alias(reader, config, "main", "pbot-vm");
        config_add_alias(reader, config, "test", "pbot-test-vm");
        if (!config->default_machine)
                config_set_string(reader, &config->default_machine, "main");
}

/* Whether an object's key is a fit and new name; says so if not. */
static bool name_check(
        ConfigReader *reader, const Json *value, const char *what, const char *name, bool taken) {
        _cleanup_text_ Text member = {};

        text_append_printf(&member, "%s.%.80s", what, name);
        if (!machine_name_valid(name)) {
                config_mistake(reader, value, text_string(&member),
                        "expected a name of at most %i letters, digits and . _ + - that begins with no . or "
                        "-",
                        NAME_MAX_SIZE);
                return false;
        }
        if (taken) {
                config_mistake(
                        reader, value, text_string(&member), "expected a name that is not used twice");
                return false;
        }
        return true;
}

/* Whether a row is about that member of the structure, and was there. */
static bool is_given(const bool *flags, size_t i, size_t offset) {
        return flags[i] && machine_members[i].offset == offset;
}

/* The defaults of a machine that QEMU alone runs. */
static void set_qemu(ConfigReader *reader, MachineConfig *m, const bool *flags) {
        bool domain = false, data = false, heart = false;

        for (size_t i = 0; machine_members[i].name; i++) {
                domain |= is_given(flags, i, offsetof(MachineConfig, domain));
                data |= is_given(flags, i, offsetof(MachineConfig, channel_data));
                heart |= is_given(flags, i, offsetof(MachineConfig, channel_heart));
        }
        if (!domain) {
                free(m->domain);
                m->domain = NULL;
        }
        if (!data)
                set_channel(reader, &m->channel_data, PBOTVM_QEMU_RUN_DIR "/%s/data", m->name);
        if (!heart)
                set_channel(reader, &m->channel_heart, PBOTVM_QEMU_RUN_DIR "/%s/heart", m->name);
}

static void read_machine(
        ConfigReader *reader, Config *config, const char *name, const Json *object, MachineGiven *given) {
        _cleanup_text_ Text path = {};
        bool flags[64] = {};

        text_append_printf(&path, "machines.%s", name);
        if (json_type(object) != JSON_OBJECT) {
                config_mistake(reader, object, text_string(&path), "expected an object, found %s",
                        json_type_name(json_type(object)));
                return;
        }

        MachineConfig *m = config_add_machine(reader, config, name);
        if (!m)
                return;
        members_read(reader, object, text_string(&path), machine_members, m, flags);
        if (m->backend == BACKEND_QEMU)
                set_qemu(reader, m, flags);
        given->line = json_line(object);
        for (size_t i = 0; machine_members[i].name; i++) {
                given->timeout |= flags[i] && streq(machine_members[i].name, "timeout");
                given->policy |= flags[i] && streq(machine_members[i].name, "policy");
                m->serial_named |=
                        flags[i] && machine_members[i].offset == offsetof(MachineConfig, serial_port);
                m->heart_named |=
                        flags[i] && machine_members[i].offset == offsetof(MachineConfig, heart_port);
                m->addr_named |= flags[i] && machine_members[i].offset == offsetof(MachineConfig, addr);
                m->cid_named |= flags[i] && machine_members[i].offset == offsetof(MachineConfig, cid);
        }
}

void config_read_machines(ConfigReader *reader, Config *config, const Json *machines, MachineGiven **given) {
        size_t n = json_size(machines);

        if (json_type(machines) != JSON_OBJECT || n == 0 || n > MACHINES_MAX) {
                config_mistake(reader, machines, "machines",
                        "expected an object of 1 to %i machines by their names", MACHINES_MAX);
                return;
        }
        *given = calloc(n, sizeof(**given));
        if (!*given) {
                reader->out_of_memory = true;
                return;
        }
        for (size_t i = 0; i < n; i++) {
                const char *name = json_name_at(machines, i);
                const Json *value = json_at(machines, i);
                if (name_check(reader, value, "machines", name, config_machine(config, name)))
                        read_machine(reader, config, name, value, &(*given)[config->n_machines]);
        }
}

/* One machine of an alias. */
static void read_alias_machine(ConfigReader *reader, const Config *config, AliasConfig *alias,
        const Json *value, const char *path) {
        const char *machine = json_string(value, NULL);

        if (!machine || !config_machine(config, machine))
                config_mistake(reader, value, path, "expected the name of a machine%s%s%s",
                        machine ? ", found \"" : "", machine ? machine : "", machine ? "\"" : "");
        else
                alias_add(reader, alias, machine);
}

static void read_alias(ConfigReader *reader, Config *config, const char *name, const Json *value) {
        _cleanup_text_ Text path = {};
        AliasConfig *alias = add_alias(reader, config, name);

        if (!alias)
                return;
        text_append_printf(&path, "aliases.%s", name);
        if (json_type(value) != JSON_ARRAY) {
                read_alias_machine(reader, config, alias, value, text_string(&path));
                return;
        }
        if (json_size(value) == 0 || json_size(value) > MACHINES_MAX)
                config_mistake(reader, value, text_string(&path), "expected 1 to %i machines", MACHINES_MAX);
        for (size_t i = 0; i < MIN(json_size(value), (size_t)MACHINES_MAX); i++)
                read_alias_machine(reader, config, alias, json_at(value, i), text_string(&path));
}

void config_read_aliases(ConfigReader *reader, Config *config, const Json *aliases) {
        if (json_type(aliases) != JSON_OBJECT || json_size(aliases) > MACHINES_MAX) {
                config_mistake(reader, aliases, "aliases", "expected an object of at most %i aliases",
                        MACHINES_MAX);
                return;
        }
        for (size_t i = 0; i < json_size(aliases); i++) {
                const char *name = json_name_at(aliases, i);
                const Json *value = json_at(aliases, i);
                if (name_check(reader, value, "aliases", name, config_alias(config, name)))
                        read_alias(reader, config, name, value);
        }
}
