/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "examples.h"

#include "language/options.h"

typedef struct Case {
        const char *code, *rest, *arguments, *input;
        bool info, paste;
} Case;

/* arguments and input: NULL for none. */
static const Case standard[] = {
        { "x", "x", NULL, NULL, false, false },
        { "-info -paste x", "x", NULL, NULL, true, true },
        { "-info -noinfo +paste --no-paste x", "x", NULL, NULL, false, false },
        { "-info=1 -INFO -inf x", "-info=1 -INFO -inf x", NULL, NULL, false, false },
        { "echo -info", "echo", NULL, NULL, true, false },
        { "-- -info", "-- -info", NULL, NULL, false, false },
        { "puts(\"a -info b\");", "puts(\"a -info b\");", NULL, NULL, false, false },
        { "-args \"a b\" -args=c x", "x", "c", NULL, false, false },
        { "-args 'a \"b\"' x", "x", "a \"b\"", NULL, false, false },
        { "x -args", "x -args", NULL, NULL, false, false },
        { "-args -- -info x", "x", "--", NULL, true, false },
        { "-args \"a b\"\nx", "x", "a b\n", NULL, false, false },
        { "-args a\nx", "x", "a\n", NULL, false, false },
        { "x -stdin a  b", "x ", NULL, "a  b", false, false },
        { "x -stdin=a=b", "x ", NULL, "a=b", false, false },
        { "x -stdin a\nb", "x -stdin a\nb", NULL, NULL, false, false },
        { "x -stdin a\ny -stdin b", "x -stdin a\ny ", NULL, "b", false, false },
        { "x --stdin q", "x ", NULL, "q", false, false },
        { "i--stdin q", "i-", NULL, "q", false, false },
        { "puts(\"-stdin\");", "puts(\"-stdin\");", NULL, NULL, false, false },
        { "echo it's -stdin don't", "echo it's ", NULL, "don't", false, false },
        { "puts(\"-stdin\"); -stdin \"x\"", "puts(\"-stdin\"); ", NULL, "\"x\"", false, false },
        { "echo \" -stdin x", "echo \" ", NULL, "x", false, false },
        { "echo \\-stdin x", "echo \\", NULL, "x", false, false },
        { "echo \\\" -stdin \"", "echo \\\" ", NULL, "\"", false, false },
};

static void test_standard_options(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(standard); i++) {
                const Case *c = &standard[i];
                _cleanup_text_ Text code = {};
                _cleanup_standard_options_ StandardOptions options = {};

                text_append_string(&code, c->code);
                assert_int_equal(standard_options_take(&code, &options), 0);
                assert_text(&code, c->rest);
                assert_int_equal(options.info, c->info);
                assert_int_equal(options.paste, c->paste);
                assert_int_equal(options.have_arguments, c->arguments != NULL);
                assert_text(&options.arguments, c->arguments ?: "");
                assert_int_equal(options.have_input, c->input != NULL);
                assert_text(&options.input, c->input ?: "");
        }
}

static void test_command_options(void **state) {
        static const struct {
                const char *code, *rest, *options;
        } cases[] = {
                { "-O2 -Wall x", "x", "-O2 -Wall" },
                { "  -O2   x -c", "x -c", "-O2" },
                { "- x", "- x", "" },
                { "-x\ty z", "y z", "-x\t" },
                { "-x\ny z", "z", "-x\ny" },
                { "-", "-", "" },
                { "-W\"a b\" z", "b\" z", "-W\"a" },
                { "\xc2\xa0-x\xc2\xa0 y", "y", "-x\xc2\xa0" },
        };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text code = {}, options = {};
                text_append_string(&code, cases[i].code);
                assert_int_equal(command_options_take(&code, &options), 0);
                assert_text(&code, cases[i].rest);
                assert_text(&options, cases[i].options);
        }
}

static void assert_command(
        const char *template, const char *options, const char *variant, const char *wanted) {
        const Language language = { .source_file = (char *)"p.c",
                .exec_file = (char *)"p",
                .command = (char *)template,
                .options = (char *)"-d",
                .arguments_in_command = true };
        _cleanup_text_ Text typed = {}, line = {};

        text_append_string(&typed, options);
        assert_int_equal(command_line(&language, &typed, variant, "", &line), 0);
        assert_text(&line, wanted);
        text_clear(&line);
        assert_int_equal(command_line(&language, &typed, variant, "a b", &line), 0);
        assert_true(line.size == strlen(wanted) + 4 && streq(line.data + strlen(wanted), " a b"));
}

static void test_command_line(void **state) {
        (void)state;
        assert_command("c $sourcefile $options -o $execfile", "", "-n", "c p.c -d -n -o p");
        assert_command("c $sourcefile $options -o $execfile", "-u -v", "", "c p.c -u -v -o p");
        assert_command("c $options $options $sourcefile$sourcefile", "-u", "", "c -u $options p.cp.c");
        assert_command("c $option", "", "", "c $option");
}

static void test_no_options_leave_no_blank(void **state) {
        const Language language = { .source_file = (char *)"p.sh",
                .exec_file = (char *)"p",
                .command = (char *)"sh $options  $sourcefile",
                .options = (char *)"" };
        const Text none = {};
        _cleanup_text_ Text line = {};
        (void)state;

        assert_int_equal(command_line(&language, &none, "", "not appended", &line), 0);
        assert_text(&line, "sh p.sh");
}

static void test_long_lines_take_no_time(void **state) {
        static const char *const pieces[] = { "'", "a\"", "-stdin", "-stdin\n", "-a ", "'a -stdin\n", "\t",
                "\"\\" };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(pieces); i++) {
                _cleanup_text_ Text code = {}, options = {};
                _cleanup_standard_options_ StandardOptions taken = {};
                while (code.size < 65536)
                        text_append_string(&code, pieces[i]);
                uint64_t start = now_monotonic();
                assert_int_equal(standard_options_take(&code, &taken), 0);
                assert_int_equal(command_options_take(&code, &options), 0);
                assert_true(now_monotonic() - start < USEC_PER_SEC / 5);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_standard_options),
                cmocka_unit_test(test_command_options),
                cmocka_unit_test(test_command_line),
                cmocka_unit_test(test_no_options_leave_no_blank),
                cmocka_unit_test(test_long_lines_take_no_time),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
