/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pbotvm-template: makes the template of a machine that QEMU runs without libvirt. */
#include <stdio.h>

#include <systemd/sd-daemon.h>

#include "common/log.h"
#include "paths.h"
#include "qemu/options.h"
#include "template/maker.h"

static const QemuProgram program = {
        .name = "pbotvm-template",
        .help = "pbotvm-template [OPTION...] MACHINE\n\n"
                "Boots a machine and saves it as the template from which pbotvm-qemu(8) runs it:\n"
                "the service pbotvm-template@MACHINE.service.\n\n"
                "  -h --help                Show this help\n"
                "     --version             Show the version\n"
                "     --definitions=FOLDER  Where MACHINE.json is\n"
                "                           (" PBOTVM_QEMU_CONFIG_DIR ")\n"
                "     --templates=FOLDER    Where the template, a folder MACHINE, is made\n"
                "                           (" PBOTVM_QEMU_STATE_DIR ")\n"
                "     --run=FOLDER          For sockets (the service's RuntimeDirectory)\n",
};

static int run(const QemuOptions *options) {
        _cleanup_(qemu_definition_freep) QemuDefinition *definition = NULL;
        _cleanup_text_ Text why = {};
        const char *message_id = MESSAGE_CONFIG;

        int r = qemu_definition_load(options->definitions, options->name, &definition, &why);
        if (r >= 0) {
                message_id = NULL;
                r = maker_run(&(MakerOrder){ definition, options->templates, options->run }, &why);
        }
        if (r >= 0) {
                log_notice("The template of %s is in force.", options->name);
                return 0;
        }
        if (why.size == 0)
                text_append_string(&why, strerror(-r));
        (void)sd_notifyf(0, "STATUS=%s", text_string(&why));
        return log_write(LOG_ERR, r, message_id, NULL, "No template of %s was made: %s", options->name,
                text_string(&why));
}

int main(int argc, char *argv[]) {
        QemuOptions options = {
                .definitions = PBOTVM_QEMU_CONFIG_DIR,
                .templates = PBOTVM_QEMU_STATE_DIR,
                .run = getenv("RUNTIME_DIRECTORY"),
        };

        int r = qemu_options_parse(argc, argv, &program, &options);
        if (r > 0 && isempty(options.run)) {
                fprintf(stderr, "%s: --run or RUNTIME_DIRECTORY was expected\n", program.name);
                r = -EINVAL;
        }
        if (r <= 0)
                return r < 0 ? 2 : EXIT_SUCCESS;
        log_setup("pbotvm-template");
        return run(&options) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
