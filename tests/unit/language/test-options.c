/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "examples.h"

#include "language/options.h"

static const Language none = {};

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
        { "-args \"a b\"\nx", "x", "a b", NULL, false, false },
        { "-args a\nx", "x", "a", NULL, false, false },
        { "a  \nb \n -args c  d ", "a  \nb \n  d", "c", NULL, false, false },
        { "a '-info' \"b -paste\" c", "a '-info' \"b -paste\" c", NULL, NULL, false, false },
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
                assert_int_equal(standard_options_take(language_syntax(&none), &code, &options), 0);
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
                { "-x\ty z", "y z", "-x" },
                { "-x\ny z", "y z", "-x" },
                { "-5 % 3", "-5 % 3", "" },
                { "-O2 -5 % 3", "-5 % 3", "-O2" },
                { "-", "-", "" },
                { "-W\"a b\" z", "b\" z", "-W\"a" },
                { "\xc2\xa0-x\xc2\xa0 y", "y", "-x\xc2\xa0" },
        };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text code = {}, options = {};
                text_append_string(&code, cases[i].code);
                assert_int_equal(command_options_take(&none, &code, &options), 0);
                assert_text(&code, cases[i].rest);
                assert_text(&options, cases[i].options);
        }
}

static const char *const shipped[] = { SOURCE_DIR "/src/language/data", NULL };

static Language *open_language(const char *name) {
        _cleanup_text_ Text errors = {};
        Language *language = NULL;

        assert_int_equal(language_open(shipped, name, &language, &errors), 0);
        return language;
}

/* What each compiler or interpreter takes for an option, and what is code. */
static const struct {
        const char *language, *options, *code;
} leading[] = {
        { "c11", "", "-5 % 3" },
        { "c11", "", "-x" },
        { "c11", "", "-x * 2" },
        { "c11", "", "-(3)" },
        { "c11", "", "-strlen(\"a\")" },
        { "c11", "", "-abs (3)" },
        { "c11", "", "-fabs(2.5)" },
        { "c11", "", "-INT_MAX - 1" },
        { "c11", "", "-DBL_MAX" },
        { "c11", "", "-UINT_MAX" },
        { "c11", "", "-LONG_MAX + 1" },
        { "c11", "", "-M_PI" },
        { "c11", "", "-EOF" },
        { "c11", "", "-'a'" },
        { "c11", "", "--i, i" },
        { "c11", "", "-.5" },
        { "c11", "-Wall -O2", "-5" },
        { "c11", "-std=c99 -lm -DA=1 -DF(x)=x -UB -I/x -fno-builtin -fsanitize=address -m32 -g -pthread",
                "x" },
        { "c11", "-E", "int x;" },
        { "c11", "-nosuch --nosuch=1 -f", "puts(\"\");" },
        { "clang", "-Weverything -ansi -pedantic --version", "" },
        { "c++", "-std=c++20 -fconcepts", "-v.size()" },
        { "javascript", "", "-7 % 3" },
        { "javascript", "", "--x" },
        { "javascript", "", "-x" },
        { "javascript", "--harmony --stack-size=900 --use-strict", "-7 % 3" },
        { "bc", "", "-2^2" },
        { "bc", "", "-x" },
        { "bc", "", "-s(1)" },
        { "bc", "-l", "-2^2" },
        { "bc", "-q -l", "1" },
        { "lua", "", "-- say\nprint(1)" },
        { "lua", "", "--[[ a ]] print(1)" },
        { "lua", "", "--print(1)" },
        { "lua", "-lx -W", "-- a" },
        { "haskell", "", "-- | Main\nmain = print 1" },
        { "haskell", "", "--main\nmain = print 1" },
        { "haskell", "-O2 -XGADTs -Wall --make", "main = print 1" },
        { "bf", "", "--[----->+<]>." },
        { "bf", "", "-+." },
        { "python3", "", "-5 % 3" },
        { "python3", "-O -W0 -Xdev", "print(1)" },
        { "perl", "", "-e \"/etc\" and print 1" },
        { "perl", "", "-7 % 3" },
        { "perl", "-l -n -Mstrict -0777 -i.bak", "print" },
        { "ruby", "-W0 -rset --yjit", "-5.abs" },
        { "scheme", "", "-5" },
        { "scheme", "--debug -q", "(x)" },
        { "sh", "-e -u", "+x echo" },
        { "tcl", "-encoding", "utf-8 puts" },
        { "java", "-Xlint:all -g -nowarn", "int x;" },
        { "java", "", "-5 % 3" },
        { "go", "-v", "package main" },
        { "php", "", "-5;" },
        { "freebasic", "", "-5" },
};

static void test_leading_options(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(leading); i++) {
                _cleanup_(language_freep) Language *language = open_language(leading[i].language);
                _cleanup_text_ Text code = {}, options = {};

                text_append_printf(&code, "%s%s%s", leading[i].options, *leading[i].options ? " " : "",
                        leading[i].code);
                if (options_begin(language, &code) != (*leading[i].options || *code.data != '-'))
                        fail_msg("%s: %s", leading[i].language, code.data);
                assert_int_equal(command_options_take(language, &code, &options), 0);
                if (!text_equals(&code, leading[i].code))
                        print_error("%s: %s\n", leading[i].language, leading[i].code);
                assert_text(&code, leading[i].code);
                assert_text(&options, leading[i].options);
        }
}

/* In a literal or comment they are words; -args and -stdin reach every language. */
static void test_options_in_literals(void **state) {
        static const char *const names[] = { "c11", "c++", "java", "sh", "bash", "python3", "lua", "haskell",
                "scheme", "clisp", "javascript", "perl", "ruby", "php", "tcl", "go", "bc", "bf", "zsh",
                "ksh" };
        static const struct {
                const char *language, *code;
        } kept[] = {
                { "python3", "'''\nuse -info or -args x\n'''\n# -paste\nprint(1)" },
                { "lua", "--[[ -info ]] x = [[ -paste ]]" },
                { "c11", "/* -info */ puts(\"-paste\"); // it's -info\nx" },
                { "sh", "cat <<X\nit's -info\nX\n" },
                { "scheme", "(a) ; it's\n#| -info |# \" -paste \"" },
        };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(kept); i++) {
                _cleanup_(language_freep) Language *language = open_language(kept[i].language);
                _cleanup_standard_options_ StandardOptions options = {};
                _cleanup_text_ Text code = {};
                text_append_string(&code, kept[i].code);
                assert_int_equal(standard_options_take(language_syntax(language), &code, &options), 0);
                assert_text(&code, kept[i].code);
                assert_false(options.info || options.paste || options.have_arguments);
        }
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(language_freep) Language *language = open_language(names[i]);
                _cleanup_standard_options_ StandardOptions options = {};
                _cleanup_text_ Text code = {};
                text_append_string(&code, "-args 'a \"b' code(1) -stdin it's \"in");
                assert_int_equal(standard_options_take(language_syntax(language), &code, &options), 0);
                assert_text(&code, "code(1) ");
                assert_text(&options.arguments, "a \"b");
                assert_text(&options.input, "it's \"in");
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
        const Text no_options = {};
        _cleanup_text_ Text line = {};
        (void)state;

        assert_int_equal(command_line(&language, &no_options, "", "not appended", &line), 0);
        assert_text(&line, "sh p.sh");
}

static void test_long_lines_take_no_time(void **state) {
        static const char *const pieces[] = { "'", "a\"", "-stdin", "-stdin\n", "-a ", "'a -stdin\n", "\t",
                "\"\\", "-args ' ", "-args /* ", "-args \" -args ' ", "# ", "-args=\\" };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(pieces); i++) {
                _cleanup_text_ Text code = {}, options = {};
                _cleanup_standard_options_ StandardOptions taken = {};
                while (code.size < 65536)
                        text_append_string(&code, pieces[i]);
                uint64_t start = now_monotonic();
                assert_int_equal(standard_options_take(language_syntax(&none), &code, &taken), 0);
                assert_int_equal(command_options_take(&none, &code, &options), 0);
                assert_true(now_monotonic() - start < USEC_PER_SEC / 5);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_standard_options),
                cmocka_unit_test(test_command_options),
                cmocka_unit_test(test_leading_options),
                cmocka_unit_test(test_options_in_literals),
                cmocka_unit_test(test_command_line),
                cmocka_unit_test(test_no_options_leave_no_blank),
                cmocka_unit_test(test_long_lines_take_no_time),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
