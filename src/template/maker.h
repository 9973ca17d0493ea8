/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Makes a machine's template: boots its guest cold, asks the agent until it is warm, saves memory and
 * devices, proves what was saved by a second QEMU that loads it and answers, and puts it in force in place
 * of the one before. Until then that one stays as it is; a failure leaves nothing. */

#include "qemu/definition.h"

typedef struct MakerOrder {
        const QemuDefinition *definition;
        const char *templates; /* the folder of the machines' templates */
        const char *run;       /* a folder for sockets, which is there */
} MakerOrder;

/* Blocks. 0 or a negative errno, and why, for people. */
int maker_run(const MakerOrder *order, Text *why);
