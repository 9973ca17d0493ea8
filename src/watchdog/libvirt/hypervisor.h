/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One connection to libvirt (a URI): opened in the background, opened again whenever it breaks, with workers
 * of its own that make the blocking calls. Domains (domain.h) subscribe to it. */

#include <libvirt/libvirt.h>

#include "watchdog/libvirt/workers.h"

/* While libvirt is away it is looked for after this time, which is doubled up to the second one. */
#define HYPERVISOR_RETRY_USEC (1 * USEC_PER_SEC)
#define HYPERVISOR_RETRY_MAX_USEC (5 * USEC_PER_SEC)
/* A connection over which nothing comes for 5 s, three times, is broken. */
#define HYPERVISOR_KEEPALIVE_SEC 5
#define HYPERVISOR_KEEPALIVE_COUNT 3

typedef struct Hypervisor Hypervisor;
int hypervisor_new(sd_event *event, LibvirtThread *thread, const char *uri, Hypervisor **ret);
/* Gives the connection up in the background; no subscription may be left. gone() is called once nothing of
 * it is on its way any more: then, at the latest, it is to be freed. */
void hypervisor_retire(
        Hypervisor *hypervisor, void (*gone)(Hypervisor *hypervisor, void *userdata), void *userdata);
/* No subscription may be left, and it is gone, or libvirt's thread has been stopped. */
Hypervisor *hypervisor_free(Hypervisor *hypervisor);
DEFINE_CLEANUP(Hypervisor *, hypervisor_free);

LibvirtThread *hypervisor_thread(const Hypervisor *hypervisor);
const char *hypervisor_uri(const Hypervisor *hypervisor);
/* True if somebody subscribes to it. */
bool hypervisor_is_used(const Hypervisor *hypervisor);
bool hypervisor_is_connected(const Hypervisor *hypervisor);
/* Why another host's is not, in words; "" if it is, or was until now. Valid until it is tried again. */
const char *hypervisor_trouble(const Hypervisor *hypervisor);
Workers *hypervisor_workers(const Hypervisor *hypervisor);

/* On a worker: the connection, to be given back with virConnectClose(), or NULL when there is none. */
virConnectPtr hypervisor_connection(Hypervisor *hypervisor);
/* A call found the connection broken. */
void hypervisor_broken(Hypervisor *hypervisor);

/* Part of whoever wants to hear of one domain. */
typedef struct Subscription Subscription;
struct Subscription {
        const char *domain; /* its name */
        void (*connected)(Subscription *subscription, bool connected);
        /* As libvirt's virDomainEventType and its detail. */
        void (*event)(Subscription *subscription, int event, int detail);
        /* Its guest began to boot again, in the same run of the domain. */
        void (*rebooted)(Subscription *subscription);
        void *userdata;
        Subscription *previous, *next;
};
void hypervisor_subscribe(Hypervisor *hypervisor, Subscription *subscription);
void hypervisor_unsubscribe(Hypervisor *hypervisor, Subscription *subscription);
