/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* QEMU's arguments for a machine. One table has them all. */

#include "qemu/definition.h"

/* The vector, argv[0] first, NULL-terminated; NULL without memory. run: the folder of its sockets: monitor,
 * data, heart, console. */
char **qemu_arguments(const QemuDefinition *definition, const char *run);
char **qemu_arguments_free(char **arguments);
DEFINE_CLEANUP(char **, qemu_arguments_free);
