/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Snapshots of libvirt's test driver, when libvirt cannot tell whether there is one: that is no reason to
 * delete what may be the only one. */

#include <libvirt/virterror.h>

#include "test.h"
#include "watchdog/libvirt/snapshot.h"

/* From so many lookups on, one fails. */
static unsigned good_lookups;

virDomainSnapshotPtr __real_virDomainSnapshotLookupByName(
        virDomainPtr domain, const char *name, unsigned flags);
virDomainSnapshotPtr __wrap_virDomainSnapshotLookupByName(
        virDomainPtr domain, const char *name, unsigned flags);
virDomainSnapshotPtr __wrap_virDomainSnapshotLookupByName(
        virDomainPtr domain, const char *name, unsigned flags) {
        /* No flags are known: an error that says nothing of the snapshot. */
        return __real_virDomainSnapshotLookupByName(domain, name, good_lookups-- != 0 ? flags : ~0u);
}

static void be_silent(void *userdata _unused_, virErrorPtr error _unused_) {
}

typedef struct Fixture {
        virConnectPtr connection;
        virDomainPtr domain;
        SnapshotNames names;
} Fixture;

static int set_up(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        virSetErrorFunc(NULL, be_silent);
        f->connection = virConnectOpen("test:///default");
        assert_non_null(f->connection);
        f->domain = virDomainLookupByName(f->connection, "test");
        assert_non_null(f->domain);
        assert_int_equal(snapshot_names_init(&f->names, "1"), 0);
        *state = f;
        good_lookups = 1000;
        return 0;
}

static int tear_down(void **state) {
        Fixture *f = *state;

        snapshot_names_done(&f->names);
        virDomainFree(f->domain);
        virConnectClose(f->connection);
        free(f);
        return 0;
}

static bool is_there(const Fixture *f, SnapshotChoice choice) {
        good_lookups = 1000;
        virDomainSnapshotPtr snapshot = snapshot_find(f->domain, &f->names, choice);

        if (snapshot)
                virDomainSnapshotFree(snapshot);
        return snapshot;
}

static void test_taking(void **state) {
        const Fixture *f = *state;

        /* There is none that a spare could replace. */
        assert_int_equal(snapshot_take(f->domain, &f->names, SNAPSHOT_SPARE), 1);
        assert_int_equal(snapshot_take(f->domain, &f->names, SNAPSHOT_PROPER), 0);
        good_lookups = 0;
        assert_int_equal(snapshot_take(f->domain, &f->names, SNAPSHOT_SPARE), -1);
        assert_false(is_there(f, SNAPSHOT_SPARE));
        good_lookups = 0;
        assert_int_equal(snapshot_take(f->domain, &f->names, SNAPSHOT_PROPER), -1);
        assert_true(is_there(f, SNAPSHOT_PROPER));
        assert_int_equal(snapshot_take(f->domain, &f->names, SNAPSHOT_SPARE), 0);
}

static void test_deleting(void **state) {
        const Fixture *f = *state;

        assert_int_equal(snapshot_drop(f->domain, &f->names, SNAPSHOT_PROPER), 1);
        assert_int_equal(snapshot_take(f->domain, &f->names, SNAPSHOT_PROPER), 0);
        good_lookups = 0;
        assert_int_equal(snapshot_drop(f->domain, &f->names, SNAPSHOT_PROPER), -1);
        assert_true(is_there(f, SNAPSHOT_PROPER));
        assert_int_equal(snapshot_drop(f->domain, &f->names, SNAPSHOT_PROPER), 0);
        assert_false(is_there(f, SNAPSHOT_PROPER));
}

/* The spare is in force where the proper one is missing, not where it could not be looked for. */
static void test_in_force(void **state) {
        const Fixture *f = *state;

        assert_int_equal(snapshot_take(f->domain, &f->names, SNAPSHOT_PROPER), 0);
        assert_int_equal(snapshot_take(f->domain, &f->names, SNAPSHOT_SPARE), 0);
        good_lookups = 0;
        assert_null(snapshot_find(f->domain, &f->names, SNAPSHOT_IN_FORCE));
        assert_true(is_there(f, SNAPSHOT_IN_FORCE));
        assert_int_equal(snapshot_drop(f->domain, &f->names, SNAPSHOT_PROPER), 0);
        assert_true(is_there(f, SNAPSHOT_IN_FORCE));
        assert_int_equal(snapshot_drop(f->domain, &f->names, SNAPSHOT_SPARE), 0);
        assert_false(is_there(f, SNAPSHOT_IN_FORCE));
        assert_int_equal(virGetLastError()->code, VIR_ERR_NO_DOMAIN_SNAPSHOT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_taking, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_deleting, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_in_force, set_up, tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
