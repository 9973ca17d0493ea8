/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command lines of the programs that run a machine's QEMU: pbotvm-qemu(8) and pbotvm-template(8). */

#include <stdbool.h>

typedef struct QemuOptions {
        const char *definitions, *templates, *run; /* folders */
        const char *name;                          /* of the machine */
        bool prints;
} QemuOptions;

typedef struct QemuProgram {
        const char *name;
        const char *help; /* what --help says, with its last newline */
        bool may_print;   /* it knows --print */
} QemuProgram;

/* What is not said stays as it is in options, whose strings are the arguments' own. 1 to go on, 0 where all
 * has been said (--help, --version), -EINVAL for a mistake, of which the standard error tells. */
int qemu_options_parse(int argc, char *argv[], const QemuProgram *program, QemuOptions *options);
