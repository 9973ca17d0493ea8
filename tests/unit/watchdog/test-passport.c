/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a snapshot was made with, as libvirt's test driver keeps it. */

#include "passport/libvirt.h"
#include "test.h"
#include "watchdog/libvirt/snapshot.h"

static void test_lines(void **state _unused_) {
        static const struct {
                const char *line;
                bool read;
                Passport passport;
        } table[] = {
                { "Taken by pbotvm: qemu=7.2.22 libvirt=9.0.0 cpu=EPYC", true,
                        { "7.2.22", "9.0.0", "EPYC" } },
                { "Taken by pbotvm:", true, {} },
                { "Taken by pbotvm:  cpu= =x cpu x=y qemu=10.0.13 libvirtx=1 ", true,
                        { "10.0.13", "", "" } },
                { "Before the upgrade", false, {} },
                { "", false, {} },
                { NULL, false, {} },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Passport passport;
                assert_int_equal(passport_read(table[i].line, &passport), table[i].read);
                assert_string_equal(passport.emulator, table[i].passport.emulator);
                assert_string_equal(passport.libvirt, table[i].passport.libvirt);
                assert_string_equal(passport.cpu, table[i].passport.cpu);
        }
}

static void test_shown(void **state _unused_) {
        const Passport whole = { "7.2.22", "9.0.0", "EPYC" }, part = { "", "9.0.0", "" };
        _cleanup_text_ Text text = {}, line = {};

        passport_show(&whole, &text);
        assert_string_equal(text_string(&text), "QEMU 7.2.22, libvirt 9.0.0, CPU EPYC");
        text_clear(&text);
        passport_show(&part, &text);
        assert_string_equal(text_string(&text), "libvirt 9.0.0");
        passport_write(&part, &line);
        assert_string_equal(text_string(&line), "Taken by pbotvm: libvirt=9.0.0");
}

static void test_kept_with_a_snapshot(void **state _unused_) {
        virConnectPtr connection = virConnectOpen("test:///default");
        assert_non_null(connection);
        virDomainPtr domain = virDomainLookupByName(connection, "test");
        assert_non_null(domain);
        Passport now, then;
        SnapshotNames names;

        passport_now(connection, &now);
        assert_true(*now.emulator && *now.libvirt);
        assert_int_equal(snapshot_names_init(&names, "a & <b>"), 0);
        assert_int_equal(snapshot_take(domain, &names, SNAPSHOT_SPARE), 1);
        assert_int_equal(snapshot_take(domain, &names, SNAPSHOT_PROPER), 0);
        virDomainSnapshotPtr snapshot = snapshot_find(domain, &names, SNAPSHOT_IN_FORCE);
        assert_non_null(snapshot);
        assert_string_equal(virDomainSnapshotGetName(snapshot), "a & <b>");
        _cleanup_free_ char *xml = virDomainSnapshotGetXMLDesc(snapshot, 0);
        char *line = strstr(xml, "<description>") + strlen("<description>");
        *strchr(line, '<') = '\0';
        assert_true(passport_read(line, &then));
        assert_memory_equal(&then, &now, sizeof(now));

        virDomainSnapshotFree(snapshot);
        assert_int_equal(snapshot_drop(domain, &names, SNAPSHOT_PROPER), 0);
        assert_int_equal(snapshot_drop(domain, &names, SNAPSHOT_PROPER), 1);
        snapshot_names_done(&names);
        virDomainFree(domain);
        virConnectClose(connection);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_shown),
                cmocka_unit_test(test_kept_with_a_snapshot),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
