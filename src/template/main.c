/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pbotvm-template: makes the template of a machine that QEMU runs without libvirt. */
#include <getopt.h>
#include <stdio.h>

#include <systemd/sd-daemon.h>

#include "common/log.h"
#include "paths.h"
#include "template/maker.h"

typedef struct Options {
        const char *definitions, *templates, *run;
        const char *name;
} Options;

static void help(void) {
        printf("pbotvm-template [OPTION...] MACHINE\n\n"
               "Boots a machine and saves it as the template from which pbotvm-qemu(8) runs it:\n"
               "the service pbotvm-template@MACHINE.service.\n\n"
               "  -h --help                Show this help\n"
               "     --version             Show the version\n"
               "     --definitions=FOLDER  Where MACHINE.json is\n"
               "                           (" PBOTVM_QEMU_CONFIG_DIR ")\n"
               "     --templates=FOLDER    Where the template, a folder MACHINE, is made\n"
               "                           (" PBOTVM_QEMU_STATE_DIR ")\n"
               "     --run=FOLDER          For sockets (the service's RuntimeDirectory)\n");
}

/* 1 to go on, 0 to stop, negative errno. */
static int parse_arguments(int argc, char *argv[], Options *options) {
        enum { ARG_VERSION = 0x100, ARG_DEFINITIONS, ARG_TEMPLATES, ARG_RUN };
        static const struct option long_options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, ARG_VERSION },
                { "definitions", required_argument, NULL, ARG_DEFINITIONS },
                { "templates", required_argument, NULL, ARG_TEMPLATES },
                { "run", required_argument, NULL, ARG_RUN },
                {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "h", long_options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        help();
                        return 0;
                case ARG_VERSION:
                        puts("pbotvm " PBOTVM_VERSION);
                        return 0;
                case ARG_DEFINITIONS:
                        options->definitions = optarg;
                        break;
                case ARG_TEMPLATES:
                        options->templates = optarg;
                        break;
                case ARG_RUN:
                        options->run = optarg;
                        break;
                default:
                        return -EINVAL;
                }
        if (optind + 1 != argc) {
                fprintf(stderr, "pbotvm-template: the name of one machine was expected\n");
                return -EINVAL;
        }
        if (isempty(options->run)) {
                fprintf(stderr, "pbotvm-template: --run or RUNTIME_DIRECTORY was expected\n");
                return -EINVAL;
        }
        options->name = argv[optind];
        return 1;
}

static int run(const Options *options) {
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
        Options options = {
                .definitions = PBOTVM_QEMU_CONFIG_DIR,
                .templates = PBOTVM_QEMU_STATE_DIR,
                .run = getenv("RUNTIME_DIRECTORY"),
        };

        int r = parse_arguments(argc, argv, &options);
        if (r <= 0)
                return r < 0 ? 2 : EXIT_SUCCESS;
        log_setup("pbotvm-template");
        return run(&options) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
