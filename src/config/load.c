/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order in which a configuration is read: the file, the variables, and what has to hold after both. */
#include <fcntl.h>

#include "common/io.h"
#include "config/config-private.h"
#include "paths.h"

#define CONFIG_SIZE_MAX ((size_t)1 << 20)

static Config *config_new(ConfigReader *reader) {
        Config *config = calloc(1, sizeof(*config));
        if (!config)
                return NULL;

        config->wait_usec = 15 * USEC_PER_SEC;
        config->queue_max = 64;
        config->nick_reverts.usec = 600 * USEC_PER_SEC;
        config->listen_port = 9000;
        config->history_file_bytes = 1 << 20;
        config->history_total_bytes = 64 << 20;
        config->storage_key_bytes = 1 << 20;
        config->storage_total_bytes = 256 << 20;
        config_set_string(reader, &config->listen_address, "127.0.0.1");
        config_set_string(reader, &config->default_language, "clang2x");
        return config;
}

/* A file with one machine need not say that it is the default. */
static void check_default_machine(ConfigReader *reader, Config *config, const Json *root) {
        const Json *value = json_member(root, "default-machine");

        if (config->default_machine) {
                if (!config_knows(config, config->default_machine))
                        config_mistake(reader, value, "default-machine",
                                "expected the name of a machine or an alias, found \"%.80s\"",
                                config->default_machine);
        } else if (config->n_machines == 1)
                config_set_string(reader, &config->default_machine, config->machines[0].name);
        else if (config->n_machines > 1)
                config_mistake(reader, root, "default-machine",
                        "expected this member, since there are several machines");
}

/* machines come first, wherever they stand: the rest names them. */
static void read_root(ConfigReader *reader, Config *config, const Json *root, MachineGiven **given) {
        const Json *machines = json_member(root, "machines"), *aliases = json_member(root, "aliases"),
                   *listeners = json_member(root, "listeners");

        if (json_type(root) != JSON_OBJECT) {
                config_mistake(
                        reader, root, NULL, "expected an object, found %s", json_type_name(json_type(root)));
                return;
        }
        members_read(reader, root, "", config_members, config, NULL);
        config->wait_given = json_member(root, "wait");
        if (machines)
                config_read_machines(reader, config, machines, given);
        else
                config_add_shipped(reader, config);
        if (aliases)
                config_read_aliases(reader, config, aliases);
        if (listeners)
                config_read_listeners(reader, config, listeners);
        check_default_machine(reader, config, root);
}

/* 0, or an error that is not the operator's mistake. */
static int read_file(ConfigReader *reader, Config *config, MachineGiven **given) {
        _cleanup_text_ Text text = {};
        _cleanup_json_ Json *root = NULL;
        JsonError error = {};

        int r = io_read_file(AT_FDCWD, reader->file, CONFIG_SIZE_MAX, &text);
        if (r == -ENOENT) {
                config_add_shipped(reader, config);
                return 0;
        }
        if (r == -EFBIG) {
                config_mistake(reader, NULL, NULL, "expected a file of at most %zu bytes", CONFIG_SIZE_MAX);
                return 0;
        }
        if (r < 0) {
                if (reader->errors)
                        text_append_printf(
                                reader->errors, "%s: cannot be read: %s\n", reader->file, strerror(-r));
                return r;
        }

        r = json_parse(text_string(&text), text.size, JSON_LIMITS_FILE, &root, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                reader->n_errors++;
                if (reader->errors)
                        text_append_printf(reader->errors, "%s:%u: expected JSON: %s\n", reader->file,
                                error.line, error.message);
                return 0;
        }
        read_root(reader, config, root, given);
        return 0;
}

/* The file and the variables may both name a domain. */
static void check_backends(ConfigReader *reader, const Config *config) {
        for (size_t i = 0; i < config->n_machines; i++) {
                const MachineConfig *m = &config->machines[i];
                _cleanup_text_ Text member = {};

                text_append_printf(&member, "machines.%s.backend", m->name);
                if (m->backend == BACKEND_QEMU && m->domain)
                        config_mistake(reader, NULL, text_string(&member),
                                "expected no domain of libvirt's beside \"qemu\", found \"%.80s\"",
                                m->domain);
                if (m->backend == BACKEND_QEMU && strchr(m->name, '+'))
                        config_mistake(reader, NULL, text_string(&member),
                                "expected a machine without a + in its name beside \"qemu\"");
        }
}

int config_load(const char *path, char *const *environment, Config **ret, Text *errors) {
        ConfigReader reader = { .file = path, .errors = errors };
        _cleanup_free_ MachineGiven *given = NULL;

        if (!reader.file)
                reader.file = environment_get(environment, "PBOTVM_CONFIG");
        if (!reader.file)
                reader.file = PBOTVM_CONFIG_FILE;

        _cleanup_(config_freep) Config *config = config_new(&reader);
        if (!config)
                return -ENOMEM;
        int r = read_file(&reader, config, &given);
        if (r < 0)
                return r;
        config->listen_default = config->n_listeners == 0;
        config_apply_environment(&reader, config, given, environment);
        config_check_transports(&reader, config, given, environment);
        check_backends(&reader, config);

        if (reader.out_of_memory || (errors && text_failed(errors)))
                return -ENOMEM;
        if (reader.n_errors > 0)
                return -EINVAL;
        *ret = TAKE_PTR(config);
        return 0;
}
