/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One machine that QEMU runs without libvirt: a unit of systemd's, and QEMU's monitor. A revert starts the
 * unit anew, which loads the machine's template, or takes a spare that has done so already; a snapshot is a
 * new template, which another unit makes. So this process commands systemd, about these units alone, and
 * needs no right to QEMU's files. */

#include "watchdog/backend.h"
#include "watchdog/qemu/driver.h"
#include "watchdog/qemu/turns.h"

/* turns: who may make a spare, of all machines. */
int instance_new(const BackendVerbs *verbs, sd_bus *bus, const QemuFolders *folders, Turns *turns,
        const MachineConfig *config, const BackendHooks *hooks, Backend **ret);
void instance_look(Backend *backend);
int instance_revert(Backend *backend, SnapshotChoice choice);
/* There is no spare: a template has proven itself before it takes the old one's place. */
int instance_take(Backend *backend, SnapshotChoice choice);
int instance_drop(Backend *backend, SnapshotChoice choice);
void instance_recall(Backend *backend, unsigned place);
void instance_guest(Backend *backend, BackendGuest *ret);
BackendStock instance_stock(const Backend *backend);
void instance_free(Backend *backend);
