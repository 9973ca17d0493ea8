/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/json.h"

static Json *parse(const char *text) {
        Json *json;
        assert_int_equal(json_parse(text, strlen(text), JSON_LIMITS_FILE, &json, NULL), 0);
        return json;
}

static void test_values(void **state _unused_) {
        _cleanup_json_ Json *j =
                parse("{\"a\":1.50,\"b\":[true,null,\"x\\u0000y\"],\n\"c\":-7,\"a\":2,\"big\":1e99}");
        size_t n;
        int64_t i;
        double d;

        assert_int_equal(json_size(j), 5);
        assert_string_equal(json_number_text(json_at(j, 0)), "1.50");
        assert_string_equal(json_number_text(json_member(j, "a")), "2");
        assert_int_equal(json_integer(json_member(j, "c"), &i), 0);
        assert_int_equal(i, -7);
        assert_int_equal(json_integer(json_at(j, 0), &i), -ERANGE);
        assert_int_equal(json_real(json_at(j, 0), &d), 0);
        assert_true(d > 1.49 && d < 1.51);
        assert_int_equal(json_line(json_member(j, "c")), 2);

        const Json *b = json_member(j, "b");
        assert_true(json_boolean(json_at(b, 0)));
        assert_int_equal(json_type(json_at(b, 1)), JSON_NULL);
        assert_memory_equal(json_string(json_at(b, 2), &n), "x\0y", 4);
        assert_int_equal(n, 3);
        assert_null(json_at(b, 3));
        assert_null(json_member(b, "a"));
        assert_null(json_member(NULL, "a"));
        assert_null(json_name_at(b, 0));
}

static void test_refuses(void **state _unused_) {
        static const struct {
                const char *text;
                int error;
                unsigned line;
        } cases[] = {
                { "", -EBADMSG, 1 },
                { "{\"a\":\n1,}", -EBADMSG, 2 },
                { "[1] x", -EBADMSG, 1 },
                { "\"\\ud800\"", -EBADMSG, 1 },
                { "\"\\udc00\"", -EBADMSG, 1 },
                { "\n\"\\ud83dx\"", -EBADMSG, 2 },
                { "\"\x01\"", -EBADMSG, 1 },
                { "[[[[[1]]]]]", -EMSGSIZE, 1 },
                { "[1,1,1,1,1,1,1,1,1,1]", -EMSGSIZE, 1 },
                { "\"012345678901234567890123456789012345678901234567890123456789\"", -EMSGSIZE, 1 },
                { "{\"a\\u0000\":1}", -EBADMSG, 1 },
                { "{} // no comments here", -EBADMSG, 1 },
        };
        JsonLimits limits = { .size = 50, .depth = 4, .values = 8 };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Json *j = NULL;
                JsonError error = {};
                assert_int_equal(json_parse(cases[i].text, strlen(cases[i].text), limits, &j, &error),
                        cases[i].error);
                assert_null(j);
                assert_int_equal(error.line, cases[i].line);
                assert_true(error.message[0] != 0);
                /* Who tells it ends the sentence. */
                assert_int_not_equal(error.message[strlen(error.message) - 1], '.');
        }
}

static void test_comments_and_surrogates(void **state _unused_) {
        _cleanup_json_ Json *j = parse("// c\n/* \\ */ [\"\\ud83d\\ude00\", \"\\\\ud800\"]");

        assert_string_equal(json_string(json_at(j, 0), NULL), "\xF0\x9F\x98\x80");
        assert_string_equal(json_string(json_at(j, 1), NULL), "\\ud800");
}

static void test_deep_input_is_refused_not_crashed(void **state _unused_) {
        size_t n = 1000000;
        _cleanup_free_ char *s = malloc(n);
        Json *j;

        assert_non_null(s);
        memset(s, '[', n);
        assert_int_equal(json_parse(s, n, JSON_LIMITS_WIRE, &j, NULL), -EMSGSIZE);
}

static void test_writes(void **state _unused_) {
        _cleanup_(json_writer_freep) JsonWriter *w = json_writer_new(false);
        _cleanup_text_ Text t = {};

        json_open_object(w);
        json_key(w, "s");
        json_put_bytes(w, "a\x7F\x80\n\0\"", 6);
        json_key(w, "n");
        json_put_null(w);
        json_key(w, "a");
        json_open_array(w);
        json_put_integer(w, -3);
        json_put_boolean(w, true);
        json_close_array(w);
        json_close_object(w);
        assert_int_equal(json_writer_finish(w, &t), 0);
        assert_string_equal(text_string(&t),
                "{\"s\":\"a\\u007f\xEF\xBF\xBD\\n\\u0000\\\"\",\"n\":null,\"a\":[-3,true]}");
}

static void test_unfinished_is_an_error(void **state _unused_) {
        _cleanup_(json_writer_freep) JsonWriter *w = json_writer_new(false);
        _cleanup_text_ Text t = {};

        json_put_string(w, "a");
        json_put_string(w, "b");
        assert_int_equal(json_writer_finish(w, &t), -EINVAL);
}

static void test_numbers_as_perl_prints_them(void **state) {
        static const struct {
                const char *json, *text;
        } table[] = {
                { "1.50", "1.5" },
                { "1e3", "1000" },
                { "-7", "-7" },
                { "12345678901234567890", "12345678901234567890" },
                { "-123456789012345678901234567890", "-123456789012345678901234567890" },
                { "1e400", "Inf" },
                { "-1e400", "-Inf" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_text_ Text list = {}, text = {};
                text_append_printf(&list, "[%s]", table[i].json);
                _cleanup_json_ Json *j = parse(text_string(&list));
                json_append_number(json_at(j, 0), &text);
                assert_string_equal(text_string(&text), table[i].text);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_refuses),
                cmocka_unit_test(test_comments_and_surrogates),
                cmocka_unit_test(test_deep_input_is_refused_not_crashed),
                cmocka_unit_test(test_writes),
                cmocka_unit_test(test_unfinished_is_an_error),
                cmocka_unit_test(test_numbers_as_perl_prints_them),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
