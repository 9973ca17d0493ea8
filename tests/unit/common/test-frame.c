/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/frame.h"

/* Feeds bytes in steps of n; the first request's content, or NULL. */
static char *read_request(const char *bytes, size_t size, size_t n, Framing *ret_framing) {
        RequestReader reader = {};
        char *content = NULL;

        for (size_t i = 0; i < size && !content; i += n) {
                size_t used;
                int r = request_reader_feed(&reader, bytes + i, MIN(n, size - i), &used);
                assert_true(r >= 0);
                if (r > 0) {
                        content = strdup(text_string(&reader.content));
                        *ret_framing = reader.framing;
                }
        }
        request_reader_done(&reader);
        return content;
}

static void test_both_framings_in_any_cut(void **state _unused_) {
        _cleanup_text_ Text json = {};

        text_append_string(&json, "{\"code\":\"");
        for (int i = 0; i < 9000; i++)
                text_append_char(&json, (char)('a' + i % 26));
        text_append_string(&json, ":end:\"}");

        for (Framing framing = FRAMING_CHUNKS; framing <= FRAMING_END_MARKER; framing++)
                for (size_t n = 1; n < 5000; n = n * 7 + 1) {
                        _cleanup_text_ Text wire = {};
                        Framing seen = 99;
                        text_append_string(&wire, "\n"); /* an empty line in front does no harm */
                        frame_append_request(&wire, json.data, json.size, framing);
                        _cleanup_free_ char *got = read_request(wire.data, wire.size, n, &seen);
                        assert_non_null(got);
                        assert_string_equal(got, text_string(&json));
                        assert_int_equal(seen, framing);
                }
}

static void test_pieces_are_of_4000(void **state _unused_) {
        _cleanup_text_ Text json = {}, wire = {};

        for (int i = 0; i < 8001; i++)
                text_append_char(&json, 'x');
        frame_append_request(&wire, json.data, json.size, FRAMING_CHUNKS);
        assert_int_equal(wire.size, 8001 + 3 + 1);
        assert_int_equal(wire.data[4000], '\n');
        assert_int_equal(wire.data[8001], '\n');
        assert_string_equal(wire.data + 8002, "x\n\n");
}

static void test_two_requests_in_one_read(void **state _unused_) {
        static const char wire[] = "{1}\n\n{2}\n:end:\n";
        RequestReader reader = {};
        size_t used;

        assert_int_equal(request_reader_feed(&reader, wire, sizeof(wire) - 1, &used), 1);
        assert_string_equal(text_string(&reader.content), "{1}");
        request_reader_reset(&reader);
        assert_int_equal(request_reader_feed(&reader, wire + used, sizeof(wire) - 1 - used, &used), 1);
        assert_string_equal(text_string(&reader.content), "{2}");
        request_reader_done(&reader);
}

static void test_endless_request_is_skipped(void **state _unused_) {
        RequestReader reader = {};
        char block[4096];
        size_t used, sent = 0;

        memset(block, 'x', sizeof(block));
        while (sent < 3 * FRAME_SIZE_MAX) {
                assert_int_equal(request_reader_feed(&reader, block, sizeof(block), &used), 0);
                sent += sizeof(block);
                assert_true(reader.line.size + reader.content.size <= FRAME_SIZE_MAX);
        }
        assert_int_equal(request_reader_feed(&reader, "\n\n{}\n\n", 6, &used), -EMSGSIZE);
        assert_int_equal(used, 2);
        request_reader_reset(&reader);
        assert_int_equal(request_reader_feed(&reader, "{}\n\n", 4, &used), 1);
        request_reader_done(&reader);
}

static void test_reply_skips_echo_and_carriage_returns(void **state _unused_) {
        static const char wire[] =
                "{\"echo\":1}\r\n\r\nresult:{\"result\":\"hi\"}\r\nraw\r\nresult:end\r\nnext";
        for (size_t n = 1; n < sizeof(wire); n += 5) {
                ReplyReader reader = {};
                size_t used = 0, i;
                int r = 0;
                for (i = 0; i < sizeof(wire) - 1 && r == 0; i += used)
                        r = reply_reader_feed(&reader, wire + i, MIN(n, sizeof(wire) - 1 - i), &used);
                assert_int_equal(r, 1);
                assert_string_equal(wire + i, "next");
                assert_string_equal(text_string(&reader.object), "{\"result\":\"hi\"}");
                assert_string_equal(text_string(&reader.rest), "raw\n");
                reply_reader_done(&reader);
        }
}

static void test_reply_ends_at_eof(void **state _unused_) {
        ReplyReader reader = {};
        size_t used;

        assert_int_equal(reply_reader_feed(&reader, "noise\n", 6, &used), 0);
        assert_int_equal(reply_reader_eof(&reader), 0);
        assert_int_equal(reply_reader_feed(&reader, "result:{}", 9, &used), 0);
        assert_int_equal(reply_reader_eof(&reader), 1);
        reply_reader_done(&reader);
}

static void test_reply_is_bounded(void **state _unused_) {
        ReplyReader reader = {};
        char block[65536];
        size_t used;
        int r = 0;

        memset(block, '\n', sizeof(block));
        for (size_t i = 0; i < 2 * FRAME_SIZE_MAX / sizeof(block) && r == 0; i++)
                r = reply_reader_feed(&reader, block, sizeof(block), &used);
        assert_int_equal(r, -EMSGSIZE);
        reply_reader_done(&reader);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_both_framings_in_any_cut),
                cmocka_unit_test(test_pieces_are_of_4000),
                cmocka_unit_test(test_two_requests_in_one_read),
                cmocka_unit_test(test_endless_request_is_skipped),
                cmocka_unit_test(test_reply_skips_echo_and_carriage_returns),
                cmocka_unit_test(test_reply_ends_at_eof),
                cmocka_unit_test(test_reply_is_bounded),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
