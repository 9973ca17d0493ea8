/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pbotvm-qemu: becomes the QEMU of a machine. */
#include <getopt.h>
#include <stdio.h>

#include "common/log.h"
#include "paths.h"
#include "qemu/arguments.h"
#include "qemu/confine.h"

typedef struct Options {
        const char *definitions, *run;
        const char *name;
        bool prints;
} Options;

static void help(void) {
        printf("pbotvm-qemu [OPTION...] MACHINE\n\n"
               "Becomes the QEMU of a machine, which boots from its disk: the service\n"
               "pbotvm-qemu@MACHINE.service.\n\n"
               "  -h --help                Show this help\n"
               "     --version             Show the version\n"
               "     --print               Show QEMU's arguments, one a line, and end\n"
               "     --definitions=FOLDER  Where MACHINE.json is\n"
               "                           (" PBOTVM_QEMU_CONFIG_DIR ")\n"
               "     --run=FOLDER          Where the folder MACHINE is, for sockets\n"
               "                           (" PBOTVM_QEMU_RUN_DIR ")\n");
}

/* 1 to go on, 0 to stop, negative errno. */
static int parse_arguments(int argc, char *argv[], Options *options) {
        enum { ARG_VERSION = 0x100, ARG_PRINT, ARG_DEFINITIONS, ARG_RUN };
        static const struct option long_options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, ARG_VERSION },
                { "print", no_argument, NULL, ARG_PRINT },
                { "definitions", required_argument, NULL, ARG_DEFINITIONS },
                { "templates", required_argument, NULL },
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
                case ARG_PRINT:
                        options->prints = true;
                        break;
                case ARG_DEFINITIONS:
                        options->definitions = optarg;
                        break;
                case ARG_RUN:
                        options->run = optarg;
                        break;
                default:
                        return -EINVAL;
                }
        if (optind + 1 != argc) {
                fprintf(stderr, "pbotvm-qemu: the name of one machine was expected\n");
                return -EINVAL;
        }
        options->name = argv[optind];
        return 1;
}

static void print(char *const *arguments) {
        for (; *arguments; arguments++)
                puts(*arguments);
}

static int run(const Options *options) {
        _cleanup_(qemu_definition_freep) QemuDefinition *definition = NULL;
        _cleanup_(qemu_arguments_freep) char **arguments = NULL;
        _cleanup_text_ Text errors = {}, folder = {};

        int r = qemu_definition_load(options->definitions, options->name, &definition, &errors);
        if (r < 0)
                return log_write(LOG_ERR, r, MESSAGE_CONFIG, NULL, "%s",
                        errors.size > 0 ? text_string(&errors) : strerror(-r));

        text_append_printf(&folder, "%s/%s", options->run, options->name);
        if (!text_failed(&folder))
                arguments = qemu_arguments(definition, text_string(&folder));
        if (!arguments)
                return log_oom();
        if (options->prints) {
                print(arguments);
                return 0;
        }

        r = qemu_confine(definition);
        if (r < 0)
                return log_error_errno(r, "Failed to forbid what %s does not need: %m", options->name);
        (void)execv(arguments[0], arguments);
        return log_error_errno(-errno, "Failed to execute %s: %m", arguments[0]);
}

int main(int argc, char *argv[]) {
        Options options = { .definitions = PBOTVM_QEMU_CONFIG_DIR, .run = PBOTVM_QEMU_RUN_DIR };

        int r = parse_arguments(argc, argv, &options);
        if (r <= 0)
                return r < 0 ? 2 : EXIT_SUCCESS;
        log_setup("pbotvm-qemu");
        return run(&options) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
