/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* QEMU's arguments for a machine. One table has them all; what a run of it is for decides which are there.
 */

#include "qemu/definition.h"

typedef enum QemuRun {
        QEMU_RUN_BOOT,     /* boots; what it changes is thrown away */
        QEMU_RUN_TEMPLATE, /* boots, and what it changes becomes a template */
        QEMU_RUN_LOAD,     /* waits for a template's devices to be loaded; what it changes is thrown away */
        QEMU_RUN_PROOF,    /* the same beside another run, to see whether the template is good */
} QemuRun;

typedef struct QemuPaths {
        const char *run;      /* the folder of its sockets: monitor, data, heart, console */
        const char *template; /* the folder of the template (template.h); NULL where it boots */
        int memory;           /* a descriptor of a copy of the template's memory; 0: that is mapped */
} QemuPaths;

/* The vector, argv[0] first, NULL-terminated; NULL without memory. machine: QEMU's type, in place of the
 * definition's, which may mean another one after an upgrade; NULL: the definition's. */
char **qemu_arguments(
        const QemuDefinition *definition, QemuRun run, const char *machine, const QemuPaths *paths);
char **qemu_arguments_free(char **arguments);
DEFINE_CLEANUP(char **, qemu_arguments_free);

/* Appends, a line each, the arguments from which a guest's devices, processors and memory follow: runs that
 * differ in one of them have no template in common. The machine type, which a passport has, is not among
 * them, and nothing of a run's paths is. */
void qemu_arguments_append_hardware(const QemuDefinition *definition, Text *text);
