/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "examples.h"

#include "language/words.h"

static void assert_words(const char *line, size_t size, const Json *expected) {
        _cleanup_words_ Words words = {};
        assert_int_equal(words_split(line, size, &words), 0);
        if (words.n != json_size(expected))
                print_error("in [%s]\n", line);
        assert_int_equal(words.n, json_size(expected));
        for (size_t i = 0; i < words.n; i++) {
                size_t n;
                const char *word = json_string(json_at(expected, i), &n);
                assert_int_equal(word_size(&words, i), n);
                assert_memory_equal(word_data(&words, i), word, n);
        }
}

/* A blank that PBot puts behind a tab is not put here. */
static void expected_line(const Json *json, Text *line) {
        size_t size;
        const char *data = json_string(json, &size);
        for (size_t i = 0; i < size; i++)
                if (i == 0 || data[i] != ' ' || data[i - 1] != '\t')
                        text_append_char(line, data[i]);
}

static void test_words_of_pbot(void **state) {
        _cleanup_json_ Json *examples = examples_load();
        const Json *cases = json_member(examples, "tokenise");
        (void)state;

        assert_true(json_size(cases) > 60);
        for (size_t i = 0; i < json_size(cases); i++) {
                const Json *expected = json_member(json_at(cases, i), "v2026");
                _cleanup_text_ Text input = {}, wanted = {}, line = {};
                _cleanup_words_ Words words = {};

                append_member(&input, json_at(cases, i), "input");
                assert_words(text_string(&input), input.size, json_member(expected, "words"));
                assert_int_equal(words_split(text_string(&input), input.size, &words), 0);
                words_join(&words, NULL, &line);
                expected_line(json_member(expected, "rejoined"), &wanted);
                assert_text_equal(&line, text_string(&wanted), wanted.size);
        }
}

static void assert_rejoined(const char *line, const char *wanted) {
        _cleanup_words_ Words words = {};
        _cleanup_text_ Text joined = {};

        assert_int_equal(words_split(line, strlen(line), &words), 0);
        words_join(&words, NULL, &joined);
        assert_text(&joined, wanted);
}

static void test_white_space_stays(void **state) {
        (void)state;
        assert_rejoined("for i in x:\n    print(i)", "for i in x:\n    print(i)");
        assert_rejoined("a  b   c", "a  b   c");
        assert_rejoined("a\tb", "a\tb");
        assert_rejoined("a\t b", "a\t b");
        assert_rejoined("a\n\tb", "a\n\tb");
        assert_rejoined("don't won't", "don't won't");
        assert_rejoined("", "");
}

static void test_taken_words_leave_no_hole(void **state) {
        _cleanup_words_ Words words = {};
        _cleanup_text_ Text line = {};
        (void)state;

        assert_int_equal(words_split("a b c", 5, &words), 0);
        words_join(&words, (bool[]){ false, true, false }, &line);
        assert_text(&line, "a c");
        text_clear(&line);
        words_join(&words, (bool[]){ true, true, true }, &line);
        assert_text(&line, "");
}

static void test_long_unbalanced_lines_take_no_time(void **state) {
        static const char *const pieces[] = { "'", "\"", "\\'\"", "'\"", "\"' ", "a'b\"c ", "\\" };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(pieces); i++) {
                _cleanup_text_ Text line = {};
                _cleanup_words_ Words words = {};
                while (line.size < 65536)
                        text_append_string(&line, pieces[i]);
                uint64_t start = now_monotonic();
                assert_int_equal(words_split(line.data, line.size, &words), 0);
                assert_true(now_monotonic() - start < USEC_PER_SEC / 5);
        }
}

static void test_quote_end(void **state) {
        (void)state;
        assert_int_equal(quote_end("'a' b", 5, 0), 2);
        assert_int_equal(quote_end("'a\\' b'", 7, 0), 6);
        assert_int_equal(quote_end("'a", 2, 0), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words_of_pbot),
                cmocka_unit_test(test_white_space_stays),
                cmocka_unit_test(test_taken_words_leave_no_hole),
                cmocka_unit_test(test_long_unbalanced_lines_take_no_time),
                cmocka_unit_test(test_quote_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
