/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libvirt says of the domains of one connection, read once, so that looks at it wait for nobody. */

#include <libvirt/libvirt.h>

#include "passport/passport.h"
#include "passport/xml.h"

typedef struct SnapshotFacts {
        char *name;
        xmlDocPtr xml;
} SnapshotFacts;

typedef struct DomainFacts {
        char *name;
        int state; /* a virDomainState */
        bool persistent;
        bool managed_save;
        xmlDocPtr xml; /* the definition with which it starts next */
        SnapshotFacts *snapshots;
        size_t n_snapshots;
        uint64_t growth_bytes; /* what its images may still grow */
} DomainFacts;

typedef struct HypervisorFacts {
        char *uri;
        char *error;           /* why it does not answer; NULL: it does */
        char *mend;            /* then the command that mends it; NULL: not known */
        unsigned long version; /* of the daemon, as libvirt counts: 9000000 is 9.0.0 */
        Passport passport;     /* what a snapshot would be made with now */
        DomainFacts *domains;
        size_t n_domains;
} HypervisorFacts;

/* libvirt would print each error by itself; they are told where they matter. */
void libvirt_silence(void);

/* NULL without memory. */
HypervisorFacts *facts_new(const char *uri);
HypervisorFacts *facts_free(HypervisorFacts *facts);
DEFINE_CLEANUP(HypervisorFacts *, facts_free);

/* Asks libvirt, read-only; may block for as long as libvirt does. What fails is in error. */
void facts_gather(HypervisorFacts *facts);
/* The same over a connection that is there. */
void facts_read(HypervisorFacts *facts, virConnectPtr connection);

/* NULL if there is none. */
const DomainFacts *facts_domain(const HypervisorFacts *facts, const char *name);
const SnapshotFacts *facts_snapshot(const DomainFacts *domain, const char *name);
