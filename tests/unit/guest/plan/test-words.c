/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan/words.h"

/* Words are joined by '|' to be compared. */
static const struct {
        const char *text, *kept, *dropped;
} splits[] = {
        { "", "", "" },
        { "a  b\tc\nd", "a|b|c|d", "a|b|c|d" },
        { "a\"b c\"d e", "ab cd|e", "ab cd|e" },
        { "it's a 'b c'", "its a b|c'", "its a b|c'" },
        { "it's", "it's", "it's" },
        { "'a \"b c", "'a|\"b|c", "'a|\"b|c" },
        { "a\\ b \"c\\\"d\"", "a\\ b|c\\\"d", "a b|c\"d" },
        { "a\\\\b c\\d", "a\\\\b|c\\d", "a\\b|cd" },
        { "'' a \"\"", "|a|", "|a|" },
        { "   ", "", "" },
        { "a\\", "a\\", "a\\" },
        { "\"a b\\", "\"a|b\\", "\"a|b\\" },
        { "\"a\nb\tc\" d", "a\nb\tc|d", "a\nb\tc|d" },
        { "'e\"f' \"'\" '\"'", "e\"f|'|\"", "e\"f|'|\"" },
        { "a'b'\"c\"'d e'", "abcd e", "abcd e" },
        { "-DMSG='\"a b\"' \"-DN=1 + 2\"", "-DMSG=\"a b\"|-DN=1 + 2", "-DMSG=\"a b\"|-DN=1 + 2" },
        { "-DMSG=\\\"x\\\"", "-DMSG=\\\"x\\\"", "-DMSG=\"x\"" },
        { "\303\251 \"\344\270\226 \347\225\214\"", "\303\251|\344\270\226 \347\225\214",
                "\303\251|\344\270\226 \347\225\214" },
};

static void assert_split(const char *text, SplitBackslash backslash, const char *expected) {
        _cleanup_words_ Words words = {};
        _cleanup_text_ Text joined = {};

        assert_int_equal(words_split(text, backslash, &words), 0);
        for (size_t i = 0; i < words.n; i++)
                text_append_printf(&joined, "%s%s", i > 0 ? "|" : "", words.items[i]);
        assert_string_equal(text_string(&joined), expected);
}

static void test_splits(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(splits); i++) {
                assert_split(splits[i].text, SPLIT_KEEP_BACKSLASH, splits[i].kept);
                assert_split(splits[i].text, SPLIT_DROP_BACKSLASH, splits[i].dropped);
        }
}

static void test_blanks_are_one_word(void **state _unused_) {
        _cleanup_words_ Words words = {}, none = {};

        assert_int_equal(words_split("  ", SPLIT_KEEP_BACKSLASH, &words), 0);
        assert_int_equal(words.n, 1);
        assert_int_equal(words_split("", SPLIT_KEEP_BACKSLASH, &none), 0);
        assert_int_equal(none.n, 0);
}

static void test_adds_to_a_list(void **state _unused_) {
        _cleanup_words_ Words words = {};
        char **strings;

        words_add_string(&words, "first");
        assert_int_equal(words_split("second third", SPLIT_DROP_BACKSLASH, &words), 0);
        assert_int_equal(words.n, 3);
        words_add_strings(&words, NULL);
        words_add_strings(&words, (char *[]){ (char *)"fourth", (char *)"fifth", NULL });
        assert_int_equal(words.n, 5);
        strings = words_steal(&words);
        assert_string_equal(strings[0], "first");
        assert_true(strings_contain(strings, "third"));
        assert_false(strings_contain(strings, "thir"));
        assert_string_equal(strings[4], "fifth");
        assert_null(strings[5]);
        strings_free(strings);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_splits),
                cmocka_unit_test(test_blanks_are_one_word),
                cmocka_unit_test(test_adds_to_a_list),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
