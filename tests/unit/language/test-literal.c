/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "examples.h"

#include "language/rewrite.h"

static void test_longest_piece(void **state) {
        static const struct {
                const char *pattern, *literal;
        } cases[] = {
                { "abc", "abc" },
                { "abcd?ef", "abc" },
                { "abc?def", "def" },
                { "abc+d", "abc" },
                { "ab*cd", "cd" },
                { "ab{0,3}c{2}de", "de" },
                { "a.bc[xyz]def", "def" },
                { "a[]x]bc", "bc" },
                { "a[^]x\\]]bc", "bc" },
                { "(abcdef)?gh", "gh" },
                { "(a(b)c\\)d)ef", "ef" },
                { "(?:x|yyyyyy)ef", "ef" },
                { "\\(gdb\\)", "(gdb)" },
                { "\\s+at\\b", "at" },
                { "^\\[x\\]$", "[x]" },
                { "(?<!\\s)\\s*from", "from" },
                { "caf\xc3\xa9?s", "caf" },
                { "a|b", "" },
                { "(?i)abc", "" },
                { "ab(?i:c)de", "" },
                { "\\x41bc", "" },
                { "\\Qa|b\\E", "" },
                { "abc\\", "abc" },
                { "", "" },
                { "(", "" },
                { "[", "" },
                { "a{", "" },
        };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text literal = {};
                pattern_literal(cases[i].pattern, &literal);
                if (!text_equals(&literal, cases[i].literal))
                        print_error("of %s\n", cases[i].pattern);
                assert_text(&literal, cases[i].literal);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_longest_piece),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
