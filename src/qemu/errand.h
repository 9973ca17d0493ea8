/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One visit at the monitor of a QEMU that is starting: waits for it, asks what it is, has a transfer done
 * and leaves. Blocks; for programs that have nothing else to do. */

#include "qemu/transfer.h"

typedef struct QemuErrand {
        const char *monitor; /* path of its socket */
        int pidfd;           /* of the process */
        const char *devices; /* path of the file that is transferred; NULL: there is nothing to be */
        QemuTransferKind kind;
        uint64_t limit_usec; /* for all of it */
} QemuErrand;

typedef struct QemuIdentity {
        char version[32]; /* "7.2.22" */
        char machine[64]; /* its machine type, "pc-i440fx-7.2" */
} QemuIdentity;

/* 0 or a negative errno, and why, for people. */
int qemu_errand_run(const QemuErrand *errand, QemuIdentity *ret, Text *why);
