/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One connection to libvirt (a URI): opened in the background, opened again whenever it breaks, with a few
 * workers that make the blocking calls. */

#include <systemd/sd-event.h>

#include "common/macro.h"

/* While libvirt is away it is looked for this often. */
#define HYPERVISOR_RETRY_USEC (1 * USEC_PER_SEC)

/* libvirt's own event loop, on a thread, and the way back from there to sd-event. One for all connections.
 */
typedef struct LibvirtThread LibvirtThread;
int libvirt_thread_new(sd_event *event, LibvirtThread **ret);
LibvirtThread *libvirt_thread_free(LibvirtThread *thread);
DEFINE_CLEANUP(LibvirtThread *, libvirt_thread_free);

typedef struct Hypervisor Hypervisor;
int hypervisor_new(LibvirtThread *thread, const char *uri, Hypervisor **ret);
/* No domain may be left. Returns once its workers have ended; a call that hangs for over 2 s is left behind.
 */
Hypervisor *hypervisor_free(Hypervisor *hypervisor);
DEFINE_CLEANUP(Hypervisor *, hypervisor_free);
const char *hypervisor_uri(const Hypervisor *hypervisor);
bool hypervisor_is_connected(const Hypervisor *hypervisor);

/* A round trip: libvirt's thread, then a worker of each connection, then back here. done is called once,
 * from the loop; after it, or after round_trip_forget() (NULL is fine), the round trip is gone. */
typedef struct RoundTrip RoundTrip;
int round_trip_new(LibvirtThread *thread, Hypervisor *const *hypervisors, size_t n,
        void (*done)(void *userdata), void *userdata, RoundTrip **ret);
void round_trip_forget(RoundTrip *trip);
