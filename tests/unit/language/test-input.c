/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "examples.h"

#include "language/input.h"

static void assert_unescaped(const char *input, const char *wanted, size_t size) {
        _cleanup_text_ Text text = {};
        text_append_string(&text, input);
        assert_int_equal(input_unescape(&text), 0);
        assert_text_equal(&text, wanted, size);
}

static void test_escapes(void **state) {
        static const struct {
                const char *input, *wanted;
        } cases[] = {
                { "a\\nb\\rc\\td\\be", "a\nb\rc\td\be" },
                { "\\x41\\X42\\101", "ABA" },
                { "\\x263a", "\xe2\x98\xba" },
                { "\\\\n \\\\x41", "\\\\n \\\\x41" },
                { "\\x \\8 \\e \\", "\\x \\8 \\e \\" },
                { "\\x5cn", "\\n" },
                { "\\x5c\\101", "\\\\101" },
                { "\\x110000 \\xd800 \\77777777777", "\xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd" },
                { "", "" },
        };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_unescaped(cases[i].input, cases[i].wanted, strlen(cases[i].wanted));
        assert_unescaped("a\\0b", "a\0b", 3);
}

static int fortune_file(const char *content, size_t size) {
        char path[] = "/tmp/fortune.XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(write(fd, content, size), (ssize_t)size);
        return fd;
}

static void assert_fortune(const char *content, uint64_t chance, const char *wanted) {
        _cleanup_text_ Text input = {};
        _cleanup_close_ int fd = fortune_file(content, strlen(content));
        int r = fortune_read(fd, chance, &input);
        assert_int_equal(r, wanted ? 0 : -ENODATA);
        if (wanted)
                assert_text(&input, wanted);
}

static void test_a_saying_is_one_line(void **state) {
        (void)state;
        assert_fortune(" Hello:\tthere \n  foo  bar\n", 0, "Hello - there foo bar");
        assert_fortune("a:", 0, "a -");
        assert_fortune("bad \xff byte", 0, "bad \xef\xbf\xbd byte");
}

static void test_chance_picks_the_entry(void **state) {
        (void)state;
        assert_fortune("one\n%\ntwo\n%\nthree\n", 0, "one");
        assert_fortune("one\n%\ntwo\n%\nthree\n", 7, "two");
        assert_fortune("one\n%\ntwo\n%\nthree\n", 14, "three");
        assert_fortune("%\none\n%\n", 123456789, "one");
        assert_fortune("", 3, NULL);
        assert_fortune("\n%\n%\n", 3, NULL);
}

static void test_short_ones_first(void **state) {
        _cleanup_text_ Text content = {};
        (void)state;

        for (unsigned i = 0; i < 50; i++)
                text_append_string(&content, "0123456789");
        assert_fortune(text_string(&content), 5, text_string(&content));
        text_append_string(&content, "\n%\nshort\n");
        for (uint64_t chance = 0; chance < 50; chance++)
                assert_fortune(text_string(&content), chance, "short");
}

static void test_a_large_file_gives_whole_entries(void **state) {
        _cleanup_text_ Text content = {};
        (void)state;

        for (unsigned i = 0; i < 100000; i++)
                text_append_printf(&content, "<%u entry>\n%%\n", i);
        _cleanup_close_ int fd = fortune_file(content.data, content.size);
        for (uint64_t chance = 1; chance < UINT64_MAX / 11; chance *= 11) {
                _cleanup_text_ Text input = {};
                assert_int_equal(fortune_read(fd, chance, &input), 0);
                assert_true(input.data[0] == '<' && input.data[input.size - 1] == '>');
        }
}

static void test_a_file_without_entries_is_none(void **state) {
        _cleanup_text_ Text content = {}, input = {};
        (void)state;

        while (content.size < 200000)
                text_append_string(&content, "no end ");
        _cleanup_close_ int fd = fortune_file(content.data, content.size);
        assert_int_equal(fortune_read(fd, 77777, &input), -ENODATA);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_escapes),
                cmocka_unit_test(test_a_saying_is_one_line),
                cmocka_unit_test(test_chance_picks_the_entry),
                cmocka_unit_test(test_short_ones_first),
                cmocka_unit_test(test_a_large_file_gives_whole_entries),
                cmocka_unit_test(test_a_file_without_entries_is_none),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
