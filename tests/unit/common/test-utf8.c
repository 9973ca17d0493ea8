/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/utf8.h"

static void test_malformed_units(void **state _unused_) {
        static const struct {
                const char *in, *replaced, *escaped;
        } cases[] = {
                { "abc", "abc", "abc" },
                { "\xC3\xA9", "\xC3\xA9", "\xC3\xA9" },
                { "\x80x", "\xEF\xBF\xBDx", "\\\\x80x" },
                { "\xE2\x82(", "\xEF\xBF\xBD(", "\\\\xE2(" },
                { "\xED\xA0\x80", "\xEF\xBF\xBD", "\\\\xED" },        /* surrogate */
                { "\xC0\x80", "\xEF\xBF\xBD", "\\\\xC0" },            /* overlong */
                { "\xF4\x90\x80\x80!", "\xEF\xBF\xBD!", "\\\\xF4!" }, /* past U+10FFFF */
                { "\xEF\xBF\xBF", "\xEF\xBF\xBD", "\\\\xEF" },        /* U+FFFF */
                { "\xEF\xB7\x90", "\xEF\xBF\xBD", "\\\\xEF" },        /* U+FDD0 */
                { "\xF0\x9F\xBF\xBE", "\xEF\xBF\xBD", "\\\\xF0" },    /* U+1FFFE */
                { "\xF8\x88\x80\x80\x80z", "\xEF\xBF\xBDz", "\\\\xF8z" },
                { "\xFCz", "\xEF\xBF\xBDz", "\\\\xFCz" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text a = {}, b = {};
                utf8_append_valid(&a, cases[i].in, strlen(cases[i].in));
                utf8_append_escaped(&b, cases[i].in, strlen(cases[i].in));
                assert_string_equal(text_string(&a), cases[i].replaced);
                assert_string_equal(text_string(&b), cases[i].escaped);
        }
}

static void test_round_trip(void **state _unused_) {
        static const uint32_t points[] = { 0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFD, 0x10000,
                0x10FFFD };

        for (size_t i = 0; i < ELEMENTSOF(points); i++) {
                _cleanup_text_ Text t = {};
                uint32_t c;
                utf8_append(&t, points[i]);
                assert_int_equal(utf8_unit(t.data, t.size, &c), t.size);
                assert_int_equal(c, points[i]);
        }
}

static void test_trims_unicode_space(void **state _unused_) {
        static const char s[] = "a\xC2\xA0 b \t\xE3\x80\x80\xC2\x85\n\xC2\xA0";

        assert_int_equal(utf8_trimmed_size(s, sizeof(s) - 1), 5);
        assert_int_equal(utf8_trimmed_size(" \n", 2), 0);
        assert_int_equal(utf8_trimmed_size("", 0), 0);
        assert_int_equal(utf8_trimmed_size("\x80\x80\x80\x80\x80", 5), 5);
}

static void test_copies_a_line(void **state _unused_) {
        static const struct {
                const char *in, *out;
        } cases[] = {
                { "", "" },
                { "12345678", "1234567" },
                { "a\nb\tc\x7F", "a?b?c?" },
                { "123456\xC3\xA9", "123456" }, /* would be cut in the middle */
                { "12345\xC3\xA9", "12345\xC3\xA9" },
                { "a\xC2\x85z", "a?z" }, /* U+0085 ends a line too */
                { "a\xFF\xE2\x82z", "a??z" },
                { "a\xC2\xA0z", "a\xC2\xA0z" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char line[8];
                utf8_copy_line(line, sizeof(line), cases[i].in);
                assert_string_equal(line, cases[i].out);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_malformed_units),
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_trims_unicode_space),
                cmocka_unit_test(test_copies_a_line),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
