/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/request.h"

static void test_round_trip(void **state _unused_) {
        _cleanup_request_ Request a = REQUEST_INIT, b = REQUEST_INIT;
        _cleanup_text_ Text json = {}, error = {};

        assert_int_equal(request_probe("n0nce", "an-id", 1234, &a), 0);
        a.factoid = strdup("f");
        a.persist_key = strdup("../key");
        a.generation = 7;
        a.limits.wall_usec = 9500000;
        a.limits.processes = 3;
        a.have_entropy = a.have_storage = true;
        memset(a.entropy, 0xA5, sizeof(a.entropy));
        text_append(&a.storage, "tar\0tar", 7);
        text_append(&a.input, "x\0y", 3);
        a.environment = calloc(3, sizeof(*a.environment));
        a.environment[0] = strdup("A=b c");
        a.environment[1] = strdup("D=");
        a.terminal = true;

        assert_int_equal(request_write(&a, false, &json), 0);
        assert_null(strchr(text_string(&json), '\n'));
        assert_int_equal(request_parse(json.data, json.size, &b, &error), 0);
        assert_string_equal(b.lang, "sh");
        assert_string_equal(text_string(&b.code), "echo n0nce");
        assert_string_equal(b.factoid, "f");
        assert_string_equal(b.persist_key, "../key");
        assert_int_equal(b.input.size, 3);
        assert_int_equal(b.date, 1234);
        assert_true(b.present && b.probe && b.have_entropy && b.have_storage);
        assert_string_equal(b.id, "an-id");
        assert_int_equal(b.generation, 7);
        assert_int_equal(b.limits.wall_usec, 9500000);
        assert_int_equal(b.limits.processes, 3);
        assert_true(b.limits.cpu_usec == LIMIT_UNSET);
        assert_memory_equal(b.entropy, a.entropy, sizeof(a.entropy));
        assert_int_equal(b.storage.size, 7);
        assert_string_equal(b.environment[0], "A=b c");
        assert_string_equal(b.environment[1], "D=");
        assert_null(b.environment[2]);
        assert_true(b.terminal);
}

static void test_takes_what_perl_takes(void **state _unused_) {
        static const char json[] =
                "{\"lang\":null,\"arguments\":5,\"input\":null,\"code\":1.50,\"other\":{}}";
        _cleanup_request_ Request r = REQUEST_INIT;
        _cleanup_text_ Text error = {};

        assert_int_equal(request_parse(json, sizeof(json) - 1, &r, &error), 0);
        assert_string_equal(r.lang, "");
        assert_string_equal(r.cmdline, "");
        assert_string_equal(r.arguments, "5");
        assert_string_equal(text_string(&r.code), "1.50");
        assert_true(r.input_null);
        assert_false(r.present);
        assert_null(r.factoid);
}

static void test_refuses_with_words(void **state _unused_) {
        static const char *const cases[][2] = {
                { "{", "Failed to decode JSON" },
                { "[1]", "an array, not an object" },
                { "5", "a number, not an object" },
                { "{\"code\":[]}", "member code" },
                { "{\"lang\":\"a\\u0000b\"}", "member lang" },
                { "{\"pbotvm\":1}", "member pbotvm" },
                { "{\"pbotvm\":{\"id\":7}}", "pbotvm.id" },
                { "{\"pbotvm\":{\"generation\":-1}}", "pbotvm.generation" },
                { "{\"pbotvm\":{\"limits\":[]}}", "pbotvm.limits" },
                { "{\"pbotvm\":{\"limits\":{\"cpu_usec\":1.5}}}", "pbotvm.limits.cpu_usec" },
                { "{\"pbotvm\":{\"entropy\":\"AAAA\"}}", "pbotvm.entropy" },
                { "{\"pbotvm\":{\"environment\":\"A=b\"}}", "pbotvm.environment is not an array" },
                { "{\"pbotvm\":{\"environment\":[\"A=b\",\"B\"]}}", "pbotvm.environment[1]" },
                { "{\"pbotvm\":{\"environment\":[\"=b\"]}}", "pbotvm.environment[0]" },
                { "{\"pbotvm\":{\"environment\":[\"A=\\u0000\"]}}", "pbotvm.environment[0]" },
                { "{\"pbotvm\":{\"environment\":[1]}}", "pbotvm.environment[0]" },
                { "{\"pbotvm\":{\"environment\":[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7]}}", "at most 16" },
                { "{\"pbotvm\":{\"storage\":\"A\"}}", "pbotvm.storage" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_request_ Request r = REQUEST_INIT;
                _cleanup_text_ Text error = {};
                assert_int_equal(request_parse(cases[i][0], strlen(cases[i][0]), &r, &error), -EBADMSG);
                assert_non_null(strstr(text_string(&error), cases[i][1]));
        }
}

static void test_limits_are_lowered_only(void **state _unused_) {
        JobLimits a = JOB_LIMITS_UNSET, b = JOB_LIMITS_UNSET;

        a.cpu_usec = 8;
        a.wall_usec = 9;
        b.cpu_usec = 10;
        b.wall_usec = 2;
        b.processes = 5;
        job_limits_lower(&a, &b);
        assert_int_equal(a.cpu_usec, 8);
        assert_int_equal(a.wall_usec, 2);
        assert_int_equal(a.processes, 5);
        assert_true(a.process_cpu_usec == LIMIT_UNSET);
        assert_true(a.disk_bytes == LIMIT_UNSET);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_takes_what_perl_takes),
                cmocka_unit_test(test_refuses_with_words),
                cmocka_unit_test(test_limits_are_lowered_only),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
