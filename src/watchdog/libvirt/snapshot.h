/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The snapshots of a domain, on a worker: these calls block. */

#include <libvirt/libvirt.h>

#include "watchdog/backend.h"

typedef struct SnapshotNames {
        char *proper, *spare;
} SnapshotNames;
/* proper: of the configuration. 0 or -ENOMEM. */
int snapshot_names_init(SnapshotNames *names, const char *proper);
void snapshot_names_done(SnapshotNames *names);

/* NULL, with libvirt's error, if there is none; for SNAPSHOT_IN_FORCE that about the proper one. */
virDomainSnapshotPtr snapshot_find(virDomainPtr domain, const SnapshotNames *names, SnapshotChoice choice);
/* As BackendVerbs' take() and drop(): 0, or 1 if there is nothing to be done; -1 with libvirt's error. */
int snapshot_take(virDomainPtr domain, const SnapshotNames *names, SnapshotChoice choice);
int snapshot_drop(virDomainPtr domain, const SnapshotNames *names, SnapshotChoice choice);
