/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/lane.h"

/* What comes in one lane, fed in parts of n bytes; "|" where a lane ends. */
static int collect(const char *data, size_t size, size_t n, unsigned lane, Text *ret) {
        LaneReader reader = {};

        for (size_t i = 0; i < size;) {
                size_t end = MIN(i + n, size), used;
                LanePiece piece;
                int r = lane_reader_feed(&reader, data + i, end - i, &used, &piece);
                if (r < 0)
                        return r;
                i += used;
                if (r > 0 && piece.lane == lane) {
                        text_append(ret, piece.data, piece.size);
                        if (piece.size == 0)
                                text_append_char(ret, '|');
                }
        }
        return lane_reader_is_between(&reader);
}

static void test_lanes_side_by_side(void **state) {
        (void)state;
        _cleanup_text_ Text out = {}, big = {};

        for (size_t i = 0; i < 3 * LANE_PIECE_MAX; i++)
                text_append_char(&big, (char)('a' + i % 26));
        lane_append(&out, 1, "one", 3);
        lane_append(&out, 63, big.data, big.size);
        lane_append(&out, 1, "", 0);
        lane_append(&out, 1, "@010003\n", 8);
        for (size_t n = 1; n <= out.size; n = n * 3 + 1) {
                _cleanup_text_ Text one = {}, other = {};

                assert_int_equal(collect(out.data, out.size, n, 1, &one), 1);
                assert_string_equal(text_string(&one), "one|@010003\n");
                assert_int_equal(collect(out.data, out.size, n, 63, &other), 1);
                assert_int_equal(other.size, big.size);
                assert_memory_equal(other.data, big.data, big.size);
        }
}

static void test_what_is_no_head(void **state) {
        (void)state;
        static const char *const bad[] = { "result:{}\n", "@400001\nx", "@010001 x", "@0100G1\nx",
                "@01000A\nx", "@-10001\nx", "\n\n\n\n\n\n\n\n" };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_text_ Text text = {};
                assert_int_equal(collect(bad[i], strlen(bad[i]), 100, 0, &text), -EBADMSG);
        }
        _cleanup_text_ Text text = {};
        assert_int_equal(collect("@01000", 6, 1, 0, &text), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lanes_side_by_side),
                cmocka_unit_test(test_what_is_no_head),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
