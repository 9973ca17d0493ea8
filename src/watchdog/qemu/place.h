/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where a QEMU of a machine's may be: a unit of systemd's and its sockets. The first place has the machine's
 * own name, pbotvm-qemu@NAME.service; the others, for spares, NAME@1 and so on, which no machine is called.
 */

#include "common/text.h"
#include "config/config.h"
#include "watchdog/qemu/driver.h"

typedef struct QemuPlace {
        Text unit;
        Text folder; /* of its sockets */
        Text monitor;
        Text data, heart; /* of the first place as configured; empty: it has no such line */
} QemuPlace;

/* 0 or -ENOMEM; place_done() in any case. */
int place_init(QemuPlace *place, const QemuFolders *folders, const MachineConfig *config, unsigned number);
void place_done(QemuPlace *place);
