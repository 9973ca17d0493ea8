/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* QEMU alone as a backend: pbotvm-qemu(8). */

#include <systemd/sd-bus.h>

#include "watchdog/backend.h"

/* Borrowed strings. */
typedef struct QemuFolders {
        const char *definitions, *templates, *run;
} QemuFolders;

/* bus: one on which systemd is. The table is the driver's; its end() frees it. 0 or negative errno. */
int qemu_driver_new(sd_bus *bus, const QemuFolders *folders, BackendDriver **ret);
