/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/libvirt/snapshot.h"

#include <stdio.h>

#include <libvirt/virterror.h>

#include "passport/libvirt.h"

int snapshot_names_init(SnapshotNames *names, const char *proper) {
        *names = (SnapshotNames){ .proper = strdup(proper) };
        if (names->proper && asprintf(&names->spare, "%s.new", proper) >= 0)
                return 0;
        names->spare = NULL;
        snapshot_names_done(names);
        return -ENOMEM;
}

void snapshot_names_done(SnapshotNames *names) {
        free(names->proper);
        free(names->spare);
        *names = (SnapshotNames){};
}

/* What libvirt's last error was about. One that it could not look for may be there. */
static bool is_missing(void) {
        const virError *e = virGetLastError();
        return e && e->code == VIR_ERR_NO_DOMAIN_SNAPSHOT;
}

virDomainSnapshotPtr snapshot_find(virDomainPtr domain, const SnapshotNames *names, SnapshotChoice choice) {
        if (choice == SNAPSHOT_SPARE)
                return virDomainSnapshotLookupByName(domain, names->spare, 0);
        virDomainSnapshotPtr proper = virDomainSnapshotLookupByName(domain, names->proper, 0);
        if (proper || choice == SNAPSHOT_PROPER || !is_missing())
                return proper;
        virDomainSnapshotPtr spare = virDomainSnapshotLookupByName(domain, names->spare, 0);
        return spare ?: virDomainSnapshotLookupByName(domain, names->proper, 0);
}

/* 1, 0, or -1 with libvirt's error. */
static int exists(virDomainPtr domain, const SnapshotNames *names, SnapshotChoice choice) {
        virDomainSnapshotPtr snapshot = snapshot_find(domain, names, choice);
        if (!snapshot)
                return is_missing() ? 0 : -1;
        virDomainSnapshotFree(snapshot);
        return 1;
}

static int create(virDomainPtr domain, const char *name) {
        _cleanup_text_ Text xml = {};
        Passport passport;

        text_append_string(&xml, "<domainsnapshot><name>");
        for (const char *p = name; *p; p++)
                if (strchr("<>&", *p))
                        text_append_printf(&xml, "&#%i;", *p);
                else
                        text_append_char(&xml, *p);
        text_append_string(&xml, "</name><description>");
        passport_now(virDomainGetConnect(domain), &passport);
        passport_write(&passport, &xml);
        text_append_string(&xml, "</description></domainsnapshot>");
        if (text_failed(&xml))
                return -1;

        virDomainSnapshotPtr snapshot = virDomainSnapshotCreateXML(domain, text_string(&xml), 0);
        if (!snapshot)
                return -1;
        virDomainSnapshotFree(snapshot);
        return 0;
}

int snapshot_drop(virDomainPtr domain, const SnapshotNames *names, SnapshotChoice choice) {
        virDomainSnapshotPtr snapshot = snapshot_find(domain, names, choice);
        if (!snapshot)
                return is_missing() ? 1 : -1;
        int r = virDomainSnapshotDelete(snapshot, 0);
        virDomainSnapshotFree(snapshot);
        return r;
}

int snapshot_take(virDomainPtr domain, const SnapshotNames *names, SnapshotChoice choice) {
        bool spare = choice == SNAPSHOT_SPARE;

        /* Without the proper one, a spare that was left over may be all that there is. */
        int r = spare ? exists(domain, names, SNAPSHOT_PROPER) : 1;
        if (r <= 0)
                return r < 0 ? r : 1;
        return snapshot_drop(domain, names, choice) < 0
                       ? -1
                       : create(domain, spare ? names->spare : names->proper);
}
