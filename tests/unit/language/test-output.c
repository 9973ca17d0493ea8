/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "examples.h"

#include "language/output.h"

static void assert_cleaned(const char *data, size_t size, const char *wanted) {
        _cleanup_text_ Text got = {};
        _cleanup_parts_ Parts parts = {};
        assert_int_equal(output_clean(data, size, NULL, 1, &got, &parts), 0);
        assert_int_equal(parts.size, got.size);
        assert_text(&got, wanted);
}
#define assert_clean(string, wanted) assert_cleaned((string), sizeof(string) - 1, (wanted))

static void test_one_newline_goes(void **state) {
        (void)state;
        assert_clean("a\n", "a");
        assert_clean("a\n\n", "a\n");
        assert_clean("", "");
        assert_clean("\n", "");
}

static void test_backspaces_move(void **state) {
        (void)state;
        assert_clean("abc\b\bX", "aXc");
        assert_clean("a\b\b\b\bz", "z");
        assert_clean("ab\n\bc", "abc");
        assert_clean("ab\b", "ab");
        assert_clean("\b", "");
        assert_clean("\xe6\x97\xa5\xe6\x9c\xac\b\xe8\xaa\x9e", "\xe6\x97\xa5\xe8\xaa\x9e");
        assert_clean("a\xe6\x97\xa5\b\bbc", "bc");
}

static void test_controls_show(void **state) {
        (void)state;
        assert_clean("\0\1\4\013\016\020\032\034|", "\\x00\\x01\\x04\\x0B\\x0E\\x10\\x1A\\x1C|");
        assert_clean("\033[1m\f", "<esc>[1m<ff>");
        assert_clean("\2\003\017\021\035\036\037\t\r\n.", "\2\003\017\021\035\036\037\t\r\n.");
        assert_clean("\177\xc2\x80", "\177\xc2\x80");
        assert_clean("\xff", "\xef\xbf\xbd");
}

static void test_bells_make_noises(void **state) {
        (void)state;
        bool bong = false, blip = false;
        for (uint64_t chance = 0; chance < 200; chance++) {
                _cleanup_text_ Text got = {};
                _cleanup_parts_ Parts parts = {};
                assert_int_equal(output_clean("\a!", 2, NULL, chance, &got, &parts), 0);
                assert_true(got.size > 4 && got.data[0] == '*' && got.data[got.size - 2] == '*');
                bong |= text_equals(&got, "*BONG*!");
                blip |= text_equals(&got, "*BLIP*!");
        }
        assert_true(bong && blip);
}

static void test_whose_it_is_goes_along(void **state) {
        static const struct {
                const char *data;
                size_t program; /* bytes of the program's; what follows is the agent's */
                const char *cleaned;
                size_t cleaned_program;
        } cases[] = {
                { "ab [Exit 1]\n", 2, "ab [Exit 1]", 2 },
                { "\033b\xff!\n", 3, "<esc>b\xef\xbf\xbd!", 9 },
                { "a\bc!\b\b?", 3, "?!", 0 },
                { "abc\b\bX", 4, "aXc", 1 },
                { "x\n", 1, "x", 1 },
                { "x\n", 2, "x", 1 },
        };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text got = {};
                _cleanup_parts_ Parts parts = {}, cleaned = {};

                parts_add(&parts, WHO_PROGRAM, cases[i].program);
                parts_extend(&parts, WHO_AGENT, strlen(cases[i].data));
                assert_int_equal(
                        output_clean(cases[i].data, strlen(cases[i].data), &parts, 2, &got, &cleaned), 0);
                PartsWalk walk = { .parts = &cleaned };
                assert_int_equal(cleaned.size, got.size);
                assert_text(&got, cases[i].cleaned);
                for (size_t k = 0; k < got.size && k < cases[i].cleaned_program; k++)
                        assert_int_equal(parts_walk_who(&walk, k), WHO_PROGRAM);
                if (cases[i].cleaned_program < got.size)
                        assert_int_equal(parts_walk_who(&walk, cases[i].cleaned_program), WHO_AGENT);
        }
}

static void test_much_output_takes_no_time(void **state) {
        static const char *const pieces[] = { "\b", "a\b\b", "\a", "\x1b", "\xff", "ab\b" };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(pieces); i++) {
                _cleanup_text_ Text data = {}, got = {};
                _cleanup_parts_ Parts parts = {};
                while (data.size < 1 << 20)
                        text_append_string(&data, pieces[i]);
                uint64_t start = now_monotonic();
                assert_int_equal(output_clean(data.data, data.size, NULL, 1, &got, &parts), 0);
                assert_true(now_monotonic() - start < USEC_PER_SEC);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_newline_goes),
                cmocka_unit_test(test_backspaces_move),
                cmocka_unit_test(test_controls_show),
                cmocka_unit_test(test_bells_make_noises),
                cmocka_unit_test(test_whose_it_is_goes_along),
                cmocka_unit_test(test_much_output_takes_no_time),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
