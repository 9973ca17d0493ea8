/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/configuration.h"

#include <fcntl.h>
#include <stdio.h>

#include "ctl/ctl.h"
#include "ctl/doctor/tree.h"
#include "generator/env-file.h"
#include "paths.h"

#define ENVIRONMENT_FILE "/etc/default/pbotvm"

int configuration_root(void) {
        int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

const char *configuration_file(void) {
        const char *file = getenv("PBOTVM_CONFIG");

        return isempty(file) ? PBOTVM_CONFIG_FILE : file;
}

/* What the caller has set already stays. */
static int take_variables(const Text *file) {
        _cleanup_(env_list_freep) char **list = NULL;
        _cleanup_text_ Text errors = {};

        int r = env_file_parse(file, &list, &errors);
        for (char **variable = list; r >= 0 && variable && *variable; variable++) {
                char *equals = strchr(*variable, '=');
                *equals = '\0';
                if (setenv(*variable, equals + 1, false) < 0)
                        r = -errno;
        }
        return r;
}

int configuration_read(int root, Config **ret, Text *errors) {
        _cleanup_text_ Text file = {};
        int r = 0;

        if (tree_read(root, ENVIRONMENT_FILE, &file) >= 0)
                r = take_variables(&file);
        if (r >= 0)
                r = config_load(NULL, environ, ret, errors);
        return r == -ENOMEM ? r : 0;
}

int configuration_machine(const char *name, Config **ret, const MachineConfig **ret_machine) {
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_text_ Text errors = {};
        _cleanup_close_ int root = configuration_root();

        int r = root < 0 ? root : configuration_read(root, &config, &errors);
        if (r < 0)
                return ctl_failure(r, "read the configuration");
        if (!config) {
                fputs(text_string(&errors), stderr);
                return EXIT_FAILURE;
        }
        const MachineConfig *machine = config_machine(config, name);
        if (!machine || !machine->domain) {
                if (machine)
                        fprintf(stderr, "Machine %s has no domain.\n", name);
                else
                        fprintf(stderr, "There is no machine '%s' in %s.\n", name, configuration_file());
                return EXIT_FAILURE;
        }
        *ret = TAKE_PTR(config);
        *ret_machine = machine;
        return 0;
}
