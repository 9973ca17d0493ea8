/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One libvirt domain, seen from the event loop: what it is doing, and the few verbs that a machine needs, as
 * backend.h describes them. */

#include "watchdog/backend.h"
#include "watchdog/libvirt/hypervisor.h"

/* Taking a snapshot writes the guest's memory to whatever disk that is. */
#define DOMAIN_SNAPSHOT_USEC (1800 * USEC_PER_SEC)

/* Those of BackendVerbs that are about one machine; domain_new() is open(), for the driver to call. verbs:
 * the driver's table, not copied. The hypervisor must outlive the domain. */
int domain_new(const BackendVerbs *verbs, Hypervisor *hypervisor, const MachineConfig *config,
        const BackendHooks *hooks, Backend **ret);
void domain_look(Backend *backend);
int domain_revert(Backend *backend, SnapshotChoice choice);
int domain_boot(Backend *backend);
int domain_take(Backend *backend, SnapshotChoice choice);
int domain_drop(Backend *backend, SnapshotChoice choice);
void domain_free(Backend *backend);
