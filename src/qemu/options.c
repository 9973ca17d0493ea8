/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "paths.h"

int qemu_options_parse(int argc, char *argv[], const QemuProgram *program, QemuOptions *options) {
        enum { ARG_VERSION = 0x100, ARG_DEFINITIONS, ARG_TEMPLATES, ARG_RUN, ARG_PRINT };
        const struct option long_options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, ARG_VERSION },
                { "definitions", required_argument, NULL, ARG_DEFINITIONS },
                { "templates", required_argument, NULL, ARG_TEMPLATES },
                { "run", required_argument, NULL, ARG_RUN },
                { program->may_print ? "print" : NULL, no_argument, NULL, ARG_PRINT },
                {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "h", long_options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        fputs(program->help, stdout);
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
                case ARG_PRINT:
                        options->prints = true;
                        break;
                default:
                        return -EINVAL;
                }
        if (optind + 1 != argc) {
                fprintf(stderr, "%s: the name of one machine was expected\n", program->name);
                return -EINVAL;
        }
        options->name = argv[optind];
        return 1;
}
