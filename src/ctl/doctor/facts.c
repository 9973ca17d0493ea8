/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/doctor/facts.h"

#include <libvirt/virterror.h>

#include "passport/libvirt.h"
#include "reach/refusal.h"

/* More than this are not read: of a host's domains, of a domain's snapshots and disks. */
#define DOMAINS_MAX 1000
#define SNAPSHOTS_MAX 50
#define DISKS_MAX 20

static void say_nothing(void *userdata _unused_, virErrorPtr error _unused_) {
}

void libvirt_silence(void) {
        virSetErrorFunc(NULL, say_nothing);
}

HypervisorFacts *facts_new(const char *uri) {
        HypervisorFacts *facts = calloc(1, sizeof(*facts));

        if (facts)
                facts->uri = strdup(uri);
        return facts && facts->uri ? facts : facts_free(facts);
}

static void domain_done(DomainFacts *domain) {
        for (size_t i = 0; i < domain->n_snapshots; i++) {
                free(domain->snapshots[i].name);
                xml_free(domain->snapshots[i].xml);
        }
        free(domain->snapshots);
        free(domain->name);
        xml_free(domain->xml);
}

HypervisorFacts *facts_free(HypervisorFacts *facts) {
        if (!facts)
                return NULL;
        for (size_t i = 0; i < facts->n_domains; i++)
                domain_done(&facts->domains[i]);
        free(facts->domains);
        free(facts->uri);
        free(facts->error);
        free(facts->mend);
        free(facts);
        return NULL;
}

const DomainFacts *facts_domain(const HypervisorFacts *facts, const char *name) {
        for (size_t i = 0; i < facts->n_domains; i++)
                if (streq(facts->domains[i].name, name))
                        return &facts->domains[i];
        return NULL;
}

const SnapshotFacts *facts_snapshot(const DomainFacts *domain, const char *name) {
        for (size_t i = 0; i < domain->n_snapshots; i++)
                if (streq(domain->snapshots[i].name, name))
                        return &domain->snapshots[i];
        return NULL;
}

static void fail(HypervisorFacts *facts, const char *message) {
        free(facts->error);
        facts->error = strdup(message);
}

/* What is wrong, before libvirt's own words. */
static void fail_to_connect(HypervisorFacts *facts) {
        _cleanup_text_ Text error = {}, mend = {};

        if (refusal_tell(virGetLastError(), facts->uri, &error, &mend))
                text_append_string(&error, ": ");
        text_append_string(&error, virGetLastErrorMessage());
        fail(facts, text_string(&error));
        if (mend.size > 0)
                facts->mend = strdup(text_string(&mend));
}

static void read_snapshots(DomainFacts *facts, virDomainPtr domain) {
        virDomainSnapshotPtr *snapshots = NULL;
        int n = virDomainListAllSnapshots(domain, &snapshots, 0);

        if (n > 0)
                facts->snapshots = calloc((size_t)n, sizeof(SnapshotFacts));
        for (int i = 0; i < n; i++) {
                if (facts->snapshots && i < SNAPSHOTS_MAX) {
                        _cleanup_free_ char *xml = virDomainSnapshotGetXMLDesc(snapshots[i], 0);
                        const char *name = virDomainSnapshotGetName(snapshots[i]);
                        SnapshotFacts snapshot = { .name = strdup(name ?: ""), .xml = xml_parse(xml) };
                        if (snapshot.name)
                                facts->snapshots[facts->n_snapshots++] = snapshot;
                        else
                                xml_free(snapshot.xml);
                }
                virDomainSnapshotFree(snapshots[i]);
        }
        free(snapshots);
}

/* What an image may still take of the disk that it lies on. */
static void read_growth(DomainFacts *facts, virDomainPtr domain) {
        static const char path[] = "/domain/devices/disk[@device='disk' and not(readonly)]/target/@dev";

        for (size_t i = 0; i < MIN(xml_count(facts->xml, path), (size_t)DISKS_MAX); i++) {
                _cleanup_free_ char *target = xml_string(facts->xml, path, i);
                virDomainBlockInfo info = {};
                if (target && virDomainGetBlockInfo(domain, target, &info, 0) >= 0 &&
                        info.capacity > info.allocation)
                        facts->growth_bytes += info.capacity - info.allocation;
        }
}

static void read_domain(HypervisorFacts *facts, virDomainPtr domain) {
        DomainFacts *d = &facts->domains[facts->n_domains];
        const char *name = virDomainGetName(domain);
        _cleanup_free_ char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);

        d->name = name && xml ? strdup(name) : NULL;
        if (!d->name) /* it went meanwhile */
                return;
        facts->n_domains++;
        d->xml = xml_parse(xml);
        (void)virDomainGetState(domain, &d->state, NULL, 0);
        d->persistent = virDomainIsPersistent(domain) != 0;
        d->managed_save = virDomainHasManagedSaveImage(domain, 0) > 0;
        read_snapshots(d, domain);
        read_growth(d, domain);
}

void facts_read(HypervisorFacts *facts, virConnectPtr connection) {
        virDomainPtr *domains = NULL;
        int n = virConnectListAllDomains(connection, &domains, 0);

        if (n < 0 || virConnectGetLibVersion(connection, &facts->version) < 0)
                fail(facts, virGetLastErrorMessage());
        passport_now(connection, &facts->passport);
        if (n > 0 && !(facts->domains = calloc((size_t)MIN(n, DOMAINS_MAX), sizeof(DomainFacts))))
                fail(facts, strerror(ENOMEM));
        for (int i = 0; i < n; i++) {
                if (facts->domains && i < DOMAINS_MAX)
                        read_domain(facts, domains[i]);
                virDomainFree(domains[i]);
        }
        free(domains);
}

void facts_gather(HypervisorFacts *facts) {
        libvirt_silence();
        virConnectPtr connection = virConnectOpenReadOnly(facts->uri);
        if (!connection) {
                fail_to_connect(facts);
                return;
        }
        facts_read(facts, connection);
        virConnectClose(connection);
}
