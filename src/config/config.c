/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/config.h"

#include "config/machine-config.h"

static void alias_done(AliasConfig *a) {
        for (char **m = a->machines; m && *m; m++)
                free(*m);
        free(a->machines);
        free(a->name);
}

static void listener_done(ListenerConfig *l) {
        free(l->address);
        free(l->machine);
        free(l->host);
        free(l->group);
}

Config *config_free(Config *config) {
        if (!config)
                return NULL;
        for (size_t i = 0; i < config->n_machines; i++)
                machine_config_done(&config->machines[i]);
        for (size_t i = 0; i < config->n_aliases; i++)
                alias_done(&config->aliases[i]);
        for (size_t i = 0; i < config->n_listeners; i++)
                listener_done(&config->listeners[i]);
        free(config->machines);
        free(config->aliases);
        free(config->listeners);
        free(config->default_machine);
        free(config->default_language);
        free(config->fortune_file);
        free(config->paste_url);
        free(config->listen_address);
        free(config);
        return NULL;
}

const MachineConfig *config_machine(const Config *config, const char *name) {
        for (size_t i = 0; i < config->n_machines; i++)
                if (streq(config->machines[i].name, name))
                        return &config->machines[i];
        return NULL;
}

const AliasConfig *config_alias(const Config *config, const char *name) {
        for (size_t i = 0; i < config->n_aliases; i++)
                if (streq(config->aliases[i].name, name))
                        return &config->aliases[i];
        return NULL;
}

const MachineConfig *config_default_machine(const Config *config) {
        const char *name = config->default_machine;
        const AliasConfig *alias = name ? config_alias(config, name) : NULL;

        if (alias && alias->machines)
                name = alias->machines[0];
        return name ? config_machine(config, name) : NULL;
}
