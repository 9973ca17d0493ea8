/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Stops a QEMU, saves what its devices hold as a file, and ends it; or loads that into one that waits for
 * it, and lets it run. Its memory is not in it: that is a file already, which is mapped (the capability
 * x-ignore-shared).
 *
 * QEMU reads and writes the file itself by its path from 8.2 on; before it takes a descriptor, which later
 * ones want no more where it is a file's. */

#include "qmp/qmp.h"

typedef enum QemuTransferKind {
        QEMU_TRANSFER_SAVE,
        QEMU_TRANSFER_LOAD,
} QemuTransferKind;

typedef struct QemuTransfer QemuTransfer;

/* Called once, from the loop: 0 or a negative errno, and then why, for people. */
typedef void (*QemuTransferDone)(int result, const char *why, void *userdata);

/* qmp: one that is ready, borrowed; the transfer is to be freed right before it, and not before done was
 * called unless the client is freed too. path: of the file, which a save makes anew. limit_usec: for all of
 * it. 0 or negative errno. */
int qemu_transfer_new(sd_event *event, Qmp *qmp, QemuTransferKind kind, const char *path,
        uint64_t limit_usec, QemuTransferDone done, void *userdata, QemuTransfer **ret);
/* In words, where it did not end in time. */
const char *qemu_transfer_late(QemuTransferKind kind);
QemuTransfer *qemu_transfer_free(QemuTransfer *transfer);
DEFINE_CLEANUP(QemuTransfer *, qemu_transfer_free);
