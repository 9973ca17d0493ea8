/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A process beside the QEMU that this one is about to become: it waits for QEMU's monitor, has a template
 * loaded, tells systemd that the service is ready, and ends. QEMU is killed where that fails. It is no child
 * of QEMU's, which would not know it. */

#include "qemu/template.h"

typedef struct UsherOrder {
        const char *name;             /* of the machine */
        const char *monitor;          /* path of the socket */
        const char *devices;          /* path of the template's file; NULL: the guest boots */
        const QemuTemplate *template; /* of devices */
} UsherOrder;

/* Returns in the process that is to become QEMU: 0 or a negative errno. */
int usher_start(const UsherOrder *order);
