/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One libvirt domain, seen from the event loop: what it is doing, and the few verbs that a machine needs.
 * All calls return at once; what libvirt says comes through hooks, from the loop. */

#include "watchdog/domain-lines.h"
#include "watchdog/hypervisor.h"
#include "watchdog/machine.h"

/* Replacing a snapshot writes the guest's memory twice, to whatever disk that is. */
#define DOMAIN_SNAPSHOT_USEC (1800 * USEC_PER_SEC)

typedef struct DomainLook {
        DomainFact fact;
        WayBack way;
        int id;            /* libvirt's number of this run of it; -1 when it is off */
        uint64_t cpu_usec; /* used by it so far */
        uint64_t taken_usec;
        DomainLines lines;   /* of a domain on this host */
        const char *message; /* libvirt's, when it refuses (WAY_REFUSED); not owned */
        bool passing; /* off in the middle of somebody's revert, or so it seems: to be looked at again */
} DomainLook;

typedef struct Domain Domain;

typedef struct DomainHooks {
        /* The answer to domain_look(), to an event of libvirt's, or to its coming and going. */
        void (*looked)(Domain *domain, const DomainLook *look, void *userdata);
        /* The guest panicked, even if libvirt has started it again by now. */
        void (*crashed)(Domain *domain, void *userdata);
        /* The guest boots again: what it was before is gone. */
        void (*rebooted)(Domain *domain, void *userdata);
        /* The end of domain_revert(). message: libvirt's, "" on success. */
        void (*reverted)(Domain *domain, ResetResult result, const char *message, void *userdata);
        /* The end of domain_snapshot(): 0 or a negative errno. */
        void (*snapshot_taken)(Domain *domain, int result, const char *message, void *userdata);
        void *userdata;
} DomainHooks;

/* name and snapshot are copied. The hypervisor must outlive it. */
int domain_new(
        Hypervisor *hypervisor, const char *name, const char *snapshot, DomainHooks hooks, Domain **ret);
/* What libvirt still does for it goes on; no hook is called any more. */
Domain *domain_free(Domain *domain);
DEFINE_CLEANUP(Domain *, domain_free);

/* Asks what it is doing. Looks that are on their way count for nothing once a revert was begun or has ended.
 */
void domain_look(Domain *domain);
/* Begins to revert it to its snapshot, running. 0 or negative errno. */
int domain_revert(Domain *domain);
/* Begins to replace its snapshot by its present state. 0 or negative errno. */
int domain_snapshot(Domain *domain);
