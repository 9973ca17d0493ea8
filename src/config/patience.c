/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long a client waits in all. */
#include <inttypes.h>

#include "config/config.h"

/* Less than what a lease takes on a busy machine would be none. */
#define WAIT_MIN_USEC (3 * USEC_PER_SEC)

/* The longest time limit of a machine or of a pool's. */
static uint64_t longest_timeout(const Config *config, const char *name) {
        const MachineConfig *machine = config_machine(config, name);
        const AliasConfig *alias = machine ? NULL : config_alias(config, name);
        uint64_t longest = machine ? machine->timeout_usec : 0;

        for (char **m = alias ? alias->machines : NULL; m && *m; m++) {
                machine = config_machine(config, *m);
                if (machine)
                        longest = MAX(longest, machine->timeout_usec);
        }
        return longest;
}

uint64_t config_wait(const Config *config, const char *machine) {
        if (config->wait_given)
                return config->wait_usec;

        uint64_t timeout = longest_timeout(config, machine);
        uint64_t left = CONFIG_PATIENCE_USEC - MIN(timeout, CONFIG_PATIENCE_USEC);
        return MIN(config->wait_usec, MAX(left, WAIT_MIN_USEC));
}

void config_warn(const Config *config, Text *warnings) {
        for (size_t i = 0; i < config->n_machines; i++) {
                const MachineConfig *m = &config->machines[i];
                uint64_t wait = config_wait(config, m->name);

                if (wait + m->timeout_usec > CONFIG_PATIENCE_USEC)
                        text_append_printf(warnings,
                                "Machine %s: a request may wait %" PRIu64 " s and run %" PRIu64
                                " s, in all more than %" PRIu64 " s: PBot listens for 30 s, and what comes "
                                "later is lost to it. See \"wait\" and "
                                "\"timeout\" in pbotvm.json(5).\n",
                                m->name, wait / USEC_PER_SEC, m->timeout_usec / USEC_PER_SEC,
                                CONFIG_PATIENCE_USEC / USEC_PER_SEC);
        }
}
