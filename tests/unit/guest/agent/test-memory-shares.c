/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmocka-all.h"

#include "memory-shares.h"

#define MIB ((uint64_t)1 << 20)

static uint64_t sum(const MemoryShares *shares) {
        uint64_t sum = 0;

        for (size_t i = 0; i < shares->n; i++)
                sum += shares->list[i].now;
        return sum;
}

static void test_one_has_its_limit(_unused_ void **state) {
        MemoryShares shares = { .all = 750 * MIB };

        assert_int_equal(memory_shares_add(&shares, 3, 600 * MIB), 0);
        assert_true(shares.list[0].now == 600 * MIB);
}

/* Two that could have 60 % each of what is 75 % of the machine, and one that needs 20 %. */
static void test_all_fit(_unused_ void **state) {
        MemoryShares shares = { .all = 750 * MIB };

        for (int key = 1; key <= 40; key++) {
                assert_int_equal(memory_shares_add(&shares, key, 600 * MIB), 0);
                assert_true(sum(&shares) <= shares.all);
                if (key == 3)
                        assert_true(shares.list[0].now == 250 * MIB);
        }
        for (int key = 40; key > 1; key--)
                memory_shares_remove(&shares, key);
        assert_int_equal(shares.n, 1);
        assert_int_equal(shares.list[0].key, 1);
        assert_true(shares.list[0].now == 600 * MIB);
}

static void test_who_has_little_leaves_the_rest(_unused_ void **state) {
        MemoryShares shares = { .all = 750 * MIB };

        assert_int_equal(memory_shares_add(&shares, 1, 600 * MIB), 0);
        assert_int_equal(memory_shares_add(&shares, 2, 100 * MIB), 0);
        assert_true(shares.list[0].now == 600 * MIB && shares.list[1].now == 100 * MIB);
        assert_int_equal(memory_shares_add(&shares, 3, 600 * MIB), 0);
        assert_true(shares.list[0].now == 325 * MIB && shares.list[1].now == 100 * MIB &&
                    shares.list[2].now == 325 * MIB);
        assert_int_equal(memory_shares_add(&shares, 4, 200 * MIB), 0);
        assert_true(shares.list[0].now == 225 * MIB && shares.list[3].now == 200 * MIB);
        assert_true(sum(&shares) == shares.all);
}

static void test_no_less_than_a_shell_needs(_unused_ void **state) {
        MemoryShares shares = { .all = 64 * MIB };

        for (int key = 0; key < MEMORY_SHARES_MAX; key++)
                assert_int_equal(memory_shares_add(&shares, key, 600 * MIB), 0);
        assert_true(shares.list[0].now == 16 * MIB);
        assert_int_equal(memory_shares_add(&shares, 1000, 600 * MIB), -E2BIG);
}

static void test_without_a_limit_for_all(_unused_ void **state) {
        MemoryShares shares = {};

        for (int key = 0; key < 5; key++)
                assert_int_equal(memory_shares_add(&shares, key, 600 * MIB), 0);
        assert_true(shares.list[4].now == 600 * MIB);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_has_its_limit),
                cmocka_unit_test(test_all_fit),
                cmocka_unit_test(test_who_has_little_leaves_the_rest),
                cmocka_unit_test(test_no_less_than_a_shell_needs),
                cmocka_unit_test(test_without_a_limit_for_all),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
