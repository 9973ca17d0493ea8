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

static void assert_parts(const Parts *parts, const char *wanted) {
        _cleanup_text_ Text text = {};

        for (size_t i = 0; i < parts->n; i++)
                text_append_printf(&text, "%s%s %zu", i > 0 ? ", " : "", who_name(parts->list[i].who),
                        parts->list[i].size);
        assert_string_equal(text_string(&text), wanted);
}

static void test_parts(void **state _unused_) {
        _cleanup_reply_ Reply a = {}, b = {};
        _cleanup_text_ Text json = {}, wire = {};

        text_append_string(&a.result, "[w]\nout\303\251\n [Exit 3]\n");
        a.present = true;
        parts_add(&a.parts, WHO_COMPILER, 4);
        parts_add(&a.parts, WHO_PROGRAM, 5);
        parts_add(&a.parts, WHO_PROGRAM, 1);
        parts_extend(&a.parts, WHO_AGENT, a.result.size);
        assert_int_equal(reply_write(&a, &json), 0);
        frame_append_reply(&wire, json.data, json.size);

        assert_int_equal(parse(text_string(&wire), &b), 0);
        /* The newline that is added to each result is nobody's but the agent's. */
        assert_parts(&b.parts, "compiler 4, program 6, agent 11");
        assert_int_equal(b.parts.size, b.result.size);
        assert_false(b.parts_ignored);
}

/* The guest is hostile: what does not fit is ignored, and known to be. */
static void test_parts_that_do_not_fit(void **state _unused_) {
        static const struct {
                const char *parts;
                bool fits;
        } cases[] = {
                { "[[\"program\",4]]", true },
                { "[[\"program\",1],[\"debugger\",3]]", true },
                { "[[\"program\",0],[\"program\",3],[\"agent\",1]]", true },
                { "[[\"program\",2],[\"debugger\",2]]", false }, /* inside a character */
                { "[[\"program\",3]]", false },
                { "[[\"program\",5]]", false },
                { "[[\"program\",9223372036854775807],[\"program\",9223372036854775807]]", false },
                { "[[\"program\",-1],[\"program\",5]]", false },
                { "[[\"program\",1.5],[\"program\",2.5]]", false },
                { "[[\"nobody\",4]]", false },
                { "[[4,\"program\"]]", false },
                { "[[\"program\",4,1]]", false },
                { "[4]", false },
                { "[]", false },
                { "null", false },
                { "{\"program\":4}", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_reply_ Reply reply = {};
                _cleanup_text_ Text wire = {};

                text_append_printf(&wire,
                        "result:{\"result\":\"a\303\251b\",\"pbotvm\":{\"parts\":%s}}\nresult:end\n",
                        cases[i].parts);
                assert_int_equal(parse(text_string(&wire), &reply), 0);
                assert_string_equal(text_string(&reply.result), "a\303\251b\n");
                assert_int_equal(reply.parts_ignored, !cases[i].fits);
                assert_int_equal(reply.parts.size, cases[i].fits ? 5 : 0);
        }
}

/* So many are told apart, and no more are taken. */
static void test_many_parts(void **state _unused_) {
        for (size_t n = PARTS_MAX - 1; n <= PARTS_MAX + 1; n++) {
                _cleanup_reply_ Reply reply = {};
                _cleanup_parts_ Parts parts = {};
                _cleanup_text_ Text wire = {};

                text_append_string(&wire, "result:{\"result\":\"");
                for (size_t i = 0; i < n; i++)
                        text_append_char(&wire, 'x');
                text_append_string(&wire, "\",\"pbotvm\":{\"parts\":[");
                for (size_t i = 0; i < n; i++) {
                        text_append_printf(
                                &wire, "%s[\"%s\",1]", i > 0 ? "," : "", i % 2 ? "program" : "debugger");
                        parts_add(&parts, i % 2 ? WHO_PROGRAM : WHO_DEBUGGER, 1);
                }
                text_append_string(&wire, "]}}\nresult:end\n");
                assert_int_equal(parse(text_string(&wire), &reply), 0);
                assert_int_equal(reply.parts_ignored, n > PARTS_MAX);
                assert_int_equal(parts.size, n);
                assert_int_equal(parts.n, MIN(n, (size_t)PARTS_MAX));
                assert_int_equal(parts.list[parts.n - 1].who, n < PARTS_MAX ? WHO_DEBUGGER : WHO_PROGRAM);
        }
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
                cmocka_unit_test(test_parts),
                cmocka_unit_test(test_parts_that_do_not_fit),
                cmocka_unit_test(test_many_parts),
                cmocka_unit_test(test_as_pbot_reads_it),
                cmocka_unit_test(test_refuses),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
