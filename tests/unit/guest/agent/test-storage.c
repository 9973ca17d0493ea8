/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmocka-all.h"

#include "storage.h"

static void check(const char *key, const char *expected) {
        _cleanup_free_ char *name = NULL;

        assert_int_equal(storage_name(key, &name), 0);
        assert_string_equal(name, expected);
}

static void test_plain_keys_stay(_unused_ void **state) {
        check("quiz", "quiz");
        check("my-fact_2.0", "my-fact_2.0");
        check("a..b", "a..b");
}

static void test_no_key_is_a_way_out(_unused_ void **state) {
        check(".", "=2E");
        check("..", "=2E.");
        check("../../etc", "=2E.=2F..=2Fetc");
        check("/etc", "=2Fetc");
        check(".hidden", "=2Ehidden");
        check("a\nb", "a=0Ab");
        check("=2E", "=3D2E");
        check("é", "=C3=A9");
        check("-rf", "=2Drf");
}

static void test_long_keys_differ(_unused_ void **state) {
        char a[301], b[301];
        _cleanup_free_ char *name_a = NULL, *name_b = NULL;

        memset(a, 'x', 300);
        memset(b, 'x', 300);
        a[300] = b[300] = '\0';
        b[299] = 'y';
        assert_int_equal(storage_name(a, &name_a), 0);
        assert_int_equal(storage_name(b, &name_b), 0);
        assert_true(strlen(name_a) <= 100);
        assert_string_not_equal(name_a, name_b);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_plain_keys_stay),
                cmocka_unit_test(test_no_key_is_a_way_out),
                cmocka_unit_test(test_long_keys_differ),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
