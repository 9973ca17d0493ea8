/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/libvirt/snapshot.h"

#include <stdio.h>

#include "passport/passport.h"

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

virDomainSnapshotPtr snapshot_find(virDomainPtr domain, const SnapshotNames *names, SnapshotChoice choice) {
        const char *in_force[] = { names->proper, names->spare, names->proper };
        virDomainSnapshotPtr snapshot = NULL;

        if (choice != SNAPSHOT_IN_FORCE)
                return virDomainSnapshotLookupByName(
                        domain, choice == SNAPSHOT_SPARE ? names->spare : names->proper, 0);
        for (size_t i = 0; !snapshot && i < ELEMENTSOF(in_force); i++)
                snapshot = virDomainSnapshotLookupByName(domain, in_force[i], 0);
        return snapshot;
}

static bool exists(virDomainPtr domain, const SnapshotNames *names, SnapshotChoice choice) {
        virDomainSnapshotPtr snapshot = snapshot_find(domain, names, choice);
        if (!snapshot)
                return false;
        virDomainSnapshotFree(snapshot);
        return true;
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
                return 1;
        int r = virDomainSnapshotDelete(snapshot, 0);
        virDomainSnapshotFree(snapshot);
        return r;
}

int snapshot_take(virDomainPtr domain, const SnapshotNames *names, SnapshotChoice choice) {
        bool spare = choice == SNAPSHOT_SPARE;

        /* Without the proper one, a spare that was left over may be all that there is. */
        if (spare && !exists(domain, names, SNAPSHOT_PROPER))
                return 1;
        return snapshot_drop(domain, names, choice) < 0
                       ? -1
                       : create(domain, spare ? names->spare : names->proper);
}
