/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include <sys/mman.h>

#include "common/io.h"
#include "pipeline/pipeline.h"

static Config *config;

static int setup(void **state) {
        (void)state;
        return config_load("/nonexistent", NULL, &config, NULL);
}

static int teardown(void **state) {
        (void)state;
        config_free(config);
        return 0;
}

static void parse(const char *line, size_t size, Query *ret) {
        _cleanup_text_ Text error = {};
        int r = query_parse(line, size, config, ret, &error);
        if (r < 0)
                print_error("%s\n", text_string(&error));
        assert_int_equal(r, 0);
}

/* Language, machine ("": none) and code of a line. */
static void assert_query(const char *line, const char *lang, const char *vm, const char *code) {
        _cleanup_query_ Query query = {};
        parse(line, strlen(line), &query);
        if (!text_equals(&query.code, code))
                print_error("%s: code [%s]\n", line, text_string(&query.code));
        assert_string_equal(query.lang, lang);
        assert_string_equal(query.vm ?: "", vm);
        assert_true(text_equals(&query.code, code));
}

static void test_plain_text_is_code(void **state) {
        static const char *const lines[] = { "echo  a   b", "5", "1.5", "true", "\"x\"", "[1,2]",
                "{ int x; x }", "{\"a\", 1}", "{", "{}x", "\xc3\xa9" };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                assert_query(lines[i], "clang2x", "", lines[i]);
        assert_query("echo a  \r\n", "clang2x", "", "echo a");
        assert_query("a\xff", "clang2x", "", "a\xef\xbf\xbd");
}

static void test_leading_options(void **state) {
        (void)state;
        assert_query("-lang=sh echo", "sh", "", "echo");
        assert_query("-lang=SH  -vm=Test  echo", "sh", "test", "echo");
        assert_query("-lang=sh -lang=perl x", "perl", "", "x");
        assert_query("-vm-serial=1 -revert=x -health=y echo", "clang2x", "", "echo");
        assert_query("-vm-domain=a -vm-addr=b echo", "clang2x", "", "-vm-addr=b echo");
        assert_query("-LANG=sh echo", "clang2x", "", "-LANG=sh echo");
        assert_query("-lang= echo", "clang2x", "", "-lang= echo");
        assert_query("-lang=sh\techo hi", "sh\techo", "", "hi");
        assert_query("-lang=sh", "sh", "", "");
        assert_query("x -lang=sh", "clang2x", "", "x -lang=sh");
        assert_query(" -lang=sh x", "clang2x", "", " -lang=sh x");
}

static void test_byte_order_mark(void **state) {
        (void)state;
        assert_query("\xef\xbb\xbf{\"lang\":\"sh\",\"code\":\"echo hi\"}\r\n", "sh", "", "echo hi");
        assert_query("\xef\xbb\xbf-lang=sh echo hi", "sh", "", "echo hi");
        assert_query("\xef\xbb\xbf", "clang2x", "", "");
        assert_query("x\xef\xbb\xbf", "clang2x", "", "x\xef\xbb\xbf");
}

/* Done better than PBot: see tests/compat/QUIRKS.md. */
static void test_leading_options_behind_others(void **state) {
        (void)state;
        assert_query("-O2 -lang=sh echo", "sh", "", "-O2 echo");
        assert_query("-O2 -Wall -lang=c11  -vm=test x", "c11", "test", "-O2 -Wall x");
        assert_query("\t-lang=sh echo", "sh", "", "echo");
        assert_query("\techo", "clang2x", "", "\techo");
        assert_query("-args -lang=x echo", "clang2x", "", "-args -lang=x echo");
        assert_query("-DX=\"a -lang=sh\" x", "clang2x", "", "-DX=\"a -lang=sh\" x");
        assert_query("-stdin -lang=sh", "clang2x", "", "-stdin -lang=sh");
        assert_query("-O2 - -lang=sh x", "clang2x", "", "-O2 - -lang=sh x");
}

static void test_json(void **state) {
        static const char line[] =
                " {\"nick\": \"joe\", \"channel\": \"#c\", \"lang\": \"SH\", \"code\": \"-vm=T x\","
                " \"arguments\": 1.50, \"factoid\": \"f\", \"persist-key\": \"k\","
                " \"usage\": \"u\", \"vm-serial\": 1, \"other\": [1]} ";
        _cleanup_query_ Query query = {};
        (void)state;

        parse(line, strlen(line), &query);
        assert_string_equal(query.nick, "joe");
        assert_string_equal(query.channel, "#c");
        assert_string_equal(query.lang, "SH");
        assert_string_equal(query.vm, "t");
        assert_true(text_equals(&query.code, "x"));
        assert_string_equal(query.arguments, "1.5");
        assert_string_equal(query.factoid, "f");
        assert_string_equal(query.persist_key, "k");
        assert_string_equal(query.usage, "u");
}

static void test_defaults(void **state) {
        static const char nulls[] = "{\"nick\": null, \"channel\": null, \"factoid\": \"\","
                                    " \"persist-key\": \"\", \"code\": null}";
        const char *const lines[] = { "null", "{}", nulls };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                _cleanup_query_ Query query = {};
                parse(lines[i], strlen(lines[i]), &query);
                assert_string_equal(query.nick, "vm");
                assert_string_equal(query.channel, "vm");
                assert_string_equal(query.lang, "clang2x");
                assert_string_equal(query.arguments, "");
                assert_null(query.factoid);
                assert_null(query.persist_key);
                assert_null(query.usage);
                assert_null(query.vm);
                assert_int_equal(query.code.size, 0);
        }
}

/* None is not the same as an empty one, which is what the client wants to be told. */
static void test_empty_usage(void **state) {
        static const char line[] = "{\"code\": \"\", \"usage\": \"\"}";
        _cleanup_query_ Query query = {};
        (void)state;

        parse(line, strlen(line), &query);
        assert_string_equal(query.usage, "");
}

static void test_numbers(void **state) {
        (void)state;
        assert_query("{\"code\": 5}", "clang2x", "", "5");
        assert_query("{\"code\": 1.50}", "clang2x", "", "1.5");
        assert_query("{\"code\": 1e3}", "clang2x", "", "1000");
        assert_query("{\"lang\": \"\", \"code\": \"x\"}", "", "", "x");
        assert_query("{\"code\": -0.25}", "clang2x", "", "-0.25");
}

static void test_nul_stays(void **state) {
        _cleanup_query_ Query query = {};
        (void)state;

        parse("echo a\0b c", 10, &query);
        assert_int_equal(query.code.size, 10);
        assert_memory_equal(query.code.data, "echo a\0b c", 10);
}

static void assert_refused(const char *line, const char *wanted) {
        _cleanup_query_ Query query = {};
        _cleanup_text_ Text error = {};

        assert_int_equal(query_parse(line, strlen(line), config, &query, &error), -EBADMSG);
        if (!strstr(text_string(&error), wanted))
                print_error("%s\n", text_string(&error));
        assert_non_null(strstr(text_string(&error), wanted));
}

static void test_refusals(void **state) {
        (void)state;
        assert_refused("{\"code\": true}", "Request member \"code\" must be a string, not a boolean.");
        assert_refused(
                "{\"code\": \"x\", \"arguments\": [1]}", "\"arguments\" must be a string, not an array.");
        assert_refused("{\"lang\": {}}", "\"lang\" must be a string, not an object.");
        assert_refused("{\"code\": \"x\"} y", "Request is not valid JSON: ");
        assert_refused("{\"code\": \"x\"", "Request is not valid JSON: ");
        assert_refused(" { \"code\" : \"\\q\" }", "Request is not valid JSON: ");
}

static void test_deep_and_long_lines_take_no_time(void **state) {
        static const char *const pieces[] = { "[", "{\"a\":", "-a ", "-lang=x ", "\xff", "\"",
                "{\"code\":\"" };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(pieces); i++) {
                _cleanup_text_ Text line = {}, error = {};
                _cleanup_query_ Query query = {};
                while (line.size < 65536)
                        text_append_string(&line, pieces[i]);
                uint64_t start = now_monotonic();
                int r = query_parse(line.data, line.size, config, &query, &error);
                assert_true(r == 0 || (r == -EBADMSG && error.size > 0));
                assert_true(now_monotonic() - start < USEC_PER_SEC / 2);
        }
}

/* What is logged while a line is read; the caller frees it. */
static char *log_of(const char *line, size_t size) {
        _cleanup_close_ int file = memfd_create("log", MFD_CLOEXEC), saved = dup(STDERR_FILENO);
        _cleanup_query_ Query query = {};
        char *text = calloc(1, 65536);

        assert_true(text && file >= 0 && saved >= 0 && dup2(file, STDERR_FILENO) >= 0);
        parse(line, size, &query);
        assert_true(dup2(saved, STDERR_FILENO) >= 0);
        assert_true(pread(file, text, 65535, 0) >= 0);
        return text;
}

/* A line may name them thousands of times; it is still one entry. */
static void test_one_log_entry_for_all_that_is_ignored(void **state) {
        static const char *const pieces[] = { "-health=1 ", "-vm-cid=2 ", "\"vm-addr\":1,",
                "\"revert\":1," };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(pieces); i += 2) {
                _cleanup_text_ Text line = {};
                if (i > 0)
                        text_append_char(&line, '{');
                for (size_t n = 0; n < 4000; n++)
                        text_append_printf(&line, "%s%s", pieces[i], pieces[i + 1]);
                text_append_string(&line, i > 0 ? "\"code\":\"x\"}" : "x");

                _cleanup_free_ char *log = log_of(text_string(&line), line.size);
                assert_non_null(strstr(log, "8000 in all: "));
                assert_non_null(strstr(log, i > 0 ? "vm-addr, revert." : "vm-cid, health."));
                assert_ptr_equal(strchr(log, '\n'), log + strlen(log) - 1);
        }
        _cleanup_free_ char *none = log_of("-lang=sh x", 10);
        assert_string_equal(none, "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_byte_order_mark),
                cmocka_unit_test(test_one_log_entry_for_all_that_is_ignored),
                cmocka_unit_test(test_plain_text_is_code),
                cmocka_unit_test(test_leading_options),
                cmocka_unit_test(test_leading_options_behind_others),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_empty_usage),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_nul_stays),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_deep_and_long_lines_take_no_time),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
