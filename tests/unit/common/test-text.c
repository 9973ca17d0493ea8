/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/text.h"

static void test_grows_and_keeps_nul(void **state _unused_) {
        _cleanup_text_ Text t = {};

        assert_string_equal(text_string(&t), "");
        for (int i = 0; i < 1000; i++)
                text_append(&t, "a\0b", 3);
        text_append_printf(&t, "%i-%s", 42, "x");
        assert_int_equal(t.size, 3000 + 4);
        assert_memory_equal(t.data + 2997, "a\0b42-x", 7);
        assert_int_equal(text_error(&t), 0);
}

static void test_failure_sticks(void **state _unused_) {
        _cleanup_text_ Text t = {};
        char *s;

        text_append_string(&t, "abc");
        assert_null(text_reserve(&t, SIZE_MAX / 2));
        text_append_string(&t, "def");
        assert_int_equal(text_error(&t), -ENOMEM);
        assert_int_equal(text_steal(&t, &s, NULL), -ENOMEM);
        assert_string_equal(text_string(&t), "abc");
}

static void test_edges(void **state _unused_) {
        _cleanup_text_ Text t = {};
        _cleanup_free_ char *s = NULL;
        size_t n;

        text_append_string(&t, "world");
        text_prepend(&t, "hello ", 6);
        assert_true(text_equals(&t, "hello world"));
        text_consume(&t, 6);
        assert_true(text_equals(&t, "world"));
        text_truncate(&t, 3);
        text_truncate(&t, 100);
        assert_int_equal(text_steal(&t, &s, &n), 0);
        assert_string_equal(s, "wor");
        assert_int_equal(n, 3);
        assert_int_equal(t.size, 0);
        text_consume(&t, 5);
        assert_true(text_equals(&t, ""));
}

static void test_quotes(void **state _unused_) {
        _cleanup_text_ Text text = {};

        text_append_quoted(&text, "it's $HOME `id`");
        assert_string_equal(text_string(&text), "'it'\\''s $HOME `id`'");
}

static void test_escaped(void **state _unused_) {
        _cleanup_text_ Text text = {};

        assert_true(text_append_escaped(&text, "aZ09-_./\x01\xe9", "-_", 20));
        assert_string_equal(text_string(&text), "aZ09-_%2E%2F%01%E9");
        assert_false(text_append_escaped(&text, "/", "", 20));
        assert_true(text_append_escaped(&text, "ab", "", 20));
        assert_false(text_append_escaped(&text, "c", "", 20));
        assert_true(text_append_escaped(&text, "", "", 0));
        assert_string_equal(text_string(&text), "aZ09-_%2E%2F%01%E9ab");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_escaped),
                cmocka_unit_test(test_grows_and_keeps_nul),
                cmocka_unit_test(test_failure_sticks),
                cmocka_unit_test(test_edges),
                cmocka_unit_test(test_quotes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
