/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/reply.h"

static int parse(const char *wire, Reply *ret) {
        ReplyReader reader = {};
        size_t used;

        int r = reply_reader_feed(&reader, wire, strlen(wire), &used);
        if (r == 0)
                (void)reply_reader_eof(&reader);
        r = reply_parse(&reader, ret);
        reply_reader_done(&reader);
        return r;
}

static void test_round_trip(void **state _unused_) {
        _cleanup_reply_ Reply a = {}, b = {};
        _cleanup_text_ Text json = {}, wire = {};

        text_append_string(&a.result, "out\n [Exit 3]\n");
        a.present = a.exited = a.oom = a.have_storage = true;
        a.exit_status = 3;
        a.id = strdup("id");
        a.signal = strdup("SIGKILL");
        a.truncated = 5;
        a.max_rss_bytes = 1 << 20;
        text_append(&a.storage, "t\0r", 3);
        assert_int_equal(reply_write(&a, &json), 0);
        frame_append_reply(&wire, json.data, json.size);

        assert_int_equal(parse(text_string(&wire), &b), 0);
        assert_string_equal(text_string(&b.result), "out\n [Exit 3]\n\n");
        assert_true(b.present && b.exited && b.oom && !b.timed_out && b.have_storage);
        assert_int_equal(b.exit_status, 3);
        assert_string_equal(b.id, "id");
        assert_string_equal(b.signal, "SIGKILL");
        assert_int_equal(b.truncated, 5);
        assert_int_equal(b.max_rss_bytes, 1 << 20);
        assert_int_equal(b.storage.size, 3);
}

static void test_as_pbot_reads_it(void **state _unused_) {
        static const char *const cases[][2] = {
                { "result:{}\nresult:end\n", "\n" },
                { "result:{\"result\":null}\nresult:end\n", "\n" },
                { "result:{\"result\":1.50}\nresult:end\n", "1.5\n" },
                { "result:{\"result\":true}\nresult:end\n", "1\n" },
                { "result:{\"result\":false}\nresult:end\n", "0\n" },
                { "x\nresult:{\"result\":\"a\"}\nraw \x80\nresult:{\"result\":\"b\"}\nresult:end\n",
                        "a\nraw \\\\x80\nb\n" },
                { "result:{\"result\":\"\xE2\x82(\"}\nresult:end\n", "\\xE2(\n" },
                { "result:{\"result\":\"no end\"}", "no end\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_reply_ Reply r = {};
                assert_int_equal(parse(cases[i][0], &r), 0);
                assert_string_equal(text_string(&r.result), cases[i][1]);
                assert_false(r.present);
        }
}

static void test_refuses(void **state _unused_) {
        static const char *const cases[] = {
                "",
                "result:end\n",
                "result:{\"result\":\nresult:end\n",
                "result:[1]\nresult:end\n",
                "result:{\"result\":\"\\ud800\"}\nresult:end\n",
                "result:{\"result\":\"a\x01\"}\nresult:end\n",
                "result:{\"result\":{}}\nresult:end\n",
                "result:{\"result\":\"a\"}\nresult:x\nresult:end\n",
                "result:{\"result\":\"a\",\"pbotvm\":[]}\nresult:end\n",
                "result:{\"result\":\"a\",\"pbotvm\":{\"exit_status\":300}}\nresult:end\n",
                "result:{\"result\":\"a\",\"pbotvm\":{\"oom\":1}}\nresult:end\n",
                "result:{\"result\":\"a\",\"pbotvm\":{\"cpu_usec\":-1}}\nresult:end\n",
                "result:{\"result\":\"a\",\"pbotvm\":{\"storage\":7}}\nresult:end\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Reply r = {};
                assert_int_equal(parse(cases[i], &r), -EBADMSG);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_as_pbot_reads_it),
                cmocka_unit_test(test_refuses),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
