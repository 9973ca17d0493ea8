/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../language/examples.h"

#include <dirent.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "pipeline/pipeline.h"

#define SHORT_SAYING "Hello:\tthere \n foo  bar\n"
#define SAYING "Hello - there foo bar"

static const char *const languages[] = { SOURCE_DIR "/src/language/data", NULL };
static const char rewrites[] = SOURCE_DIR "/src/language/rewrites";

/* What is read and compiled, counted: the linker sends the library's calls here. */
static unsigned n_reads, n_compiled;
int __real_io_read_file(int dir_fd, const char *path, size_t max, Text *text);
int __wrap_io_read_file(int dir_fd, const char *path, size_t max, Text *text);
int __wrap_io_read_file(int dir_fd, const char *path, size_t max, Text *text) {
        n_reads++;
        return __real_io_read_file(dir_fd, path, max, text);
}
pcre2_code *__real_pcre2_compile_8(PCRE2_SPTR pattern, PCRE2_SIZE size, uint32_t options, int *error,
        PCRE2_SIZE *offset, pcre2_compile_context *context);
pcre2_code *__wrap_pcre2_compile_8(PCRE2_SPTR pattern, PCRE2_SIZE size, uint32_t options, int *error,
        PCRE2_SIZE *offset, pcre2_compile_context *context);
pcre2_code *__wrap_pcre2_compile_8(PCRE2_SPTR pattern, PCRE2_SIZE size, uint32_t options, int *error,
        PCRE2_SIZE *offset, pcre2_compile_context *context) {
        n_compiled++;
        return __real_pcre2_compile_8(pattern, size, options, error, offset, context);
}

/* A configuration with a fortune file, and a folder for history. */
static Config *config;
static char state_dir[] = "/tmp/pipeline.XXXXXX";
static char fortune[] = "/tmp/fortune.XXXXXX";

static int setup(void **state) {
        (void)state;
        int fd = mkstemp(fortune);
        if (fd < 0 || write(fd, SHORT_SAYING, strlen(SHORT_SAYING)) < 0 || close(fd) < 0 ||
                !mkdtemp(state_dir) || config_load("/nonexistent", NULL, &config, NULL) < 0)
                return -1;
        config->fortune_file = strdup(fortune);
        return config->fortune_file ? 0 : -1;
}

static void empty_state(void) {
        DIR *dir = opendir(state_dir);
        struct dirent *entry;
        while (dir && (entry = readdir(dir)))
                (void)unlinkat(dirfd(dir), entry->d_name, 0);
        if (dir)
                (void)closedir(dir);
}

static int teardown(void **state) {
        (void)state;
        empty_state();
        (void)rmdir(state_dir);
        (void)unlink(fortune);
        config_free(config);
        return 0;
}

/* A query, and what came of it. */
typedef struct Run {
        Query query;
        Pipeline *pipeline;
        Request request;
        Text answer;
        int result;
} Run;

static void run_done(Run *run) {
        text_done(&run->answer);
        request_done(&run->request);
        pipeline_free(run->pipeline);
        query_done(&run->query);
}

/* One that is set by hand, as a client's JSON would. */
static void run_start(Run *run, const char *lang, const char *channel, const char *code, size_t size) {
        *run = (Run){ .request = REQUEST_INIT };
        run->query = (Query){ .nick = strdup("n"),
                .channel = strdup(channel),
                .lang = strdup(lang),
                .arguments = strdup("") };
        text_append(&run->query.code, code, size);
}

static void run_open(Run *run) {
        run->result = pipeline_open(
                config, &run->query, languages, rewrites, state_dir, &run->pipeline, &run->answer);
}

static void run_prepare(Run *run) {
        run_open(run);
        if (run->result == PIPELINE_RUN)
                run->result = pipeline_prepare(run->pipeline, 1234, &run->request, &run->answer);
}

static void run_code(Run *run, const char *lang, const char *channel, const char *code) {
        run_start(run, lang, channel, code, strlen(code));
        run_prepare(run);
}

static void assert_answer(const char *lang, const char *code, const char *wanted) {
        _cleanup_(run_done) Run run = {};
        run_code(&run, lang, "private", code);
        assert_int_equal(run.result, PIPELINE_ANSWER);
        assert_text(&run.answer, wanted);
}

static void test_sh_opens_two_files_and_compiles_nothing(void **state) {
        _cleanup_(run_done) Run run = {};
        (void)state;

        n_reads = n_compiled = 0;
        run_code(&run, "sh", "#c", "echo \"a b\" -stdin x");
        assert_int_equal(run.result, PIPELINE_RUN);
        text_clear(&run.answer);
        assert_int_equal(pipeline_finish(run.pipeline, "a b\n", 4, NULL, &run.answer), PIPELINE_ANSWER);
        assert_text(&run.answer, "a b\n");
        assert_int_equal(n_reads, 2);
        assert_int_equal(n_compiled, 0);
}

static void test_c_compiles_what_the_output_needs(void **state) {
        static const char warning[] =
                "prog.c: In function \xe2\x80\x98main\xe2\x80\x99:\nprog.c:38:5: warning: x\n";
        _cleanup_(run_done) Run run = {};
        (void)state;

        n_reads = n_compiled = 0;
        run_code(&run, "clang2x", "#c", "int x = 5; x");
        assert_int_equal(run.result, PIPELINE_RUN);
        assert_int_equal(n_reads, 2);
        assert_int_equal(n_compiled, 0);

        assert_int_equal(
                pipeline_finish(run.pipeline, "no output: x = 5\n", 17, NULL, &run.answer), PIPELINE_ANSWER);
        assert_int_equal(n_reads, 3);
        unsigned plain = n_compiled;
        assert_true(plain <= 4);

        text_clear(&run.answer);
        assert_int_equal(
                pipeline_finish(run.pipeline, warning, strlen(warning), NULL, &run.answer), PIPELINE_ANSWER);
        assert_text(&run.answer, "warning: x\n");
        assert_true(n_compiled >= plain + 4 && n_compiled <= plain + 12);
}

static void test_options_of_pbot(void **state) {
        /* Where ours is better: QUIRKS.md. */
        static const char *const better[] = { "x --stdin q", "-x\ty z" };
        _cleanup_json_ Json *examples = examples_load();
        const Json *cases = json_member(examples, "options_lang_sh");
        unsigned n = 0;
        (void)state;

        for (size_t i = 0; i < json_size(cases); i++) {
                const Json *wanted = json_member(json_at(cases, i), "v2026");
                _cleanup_text_ Text input = {}, command = {}, code = {}, arguments = {}, stdin_text = {};
                _cleanup_(run_done) Run run = {};

                append_member(&input, json_at(cases, i), "input");
                if (text_equals(&input, better[0]) || text_equals(&input, better[1]))
                        continue;
                empty_state();
                run_start(&run, "sh", "vm", input.data, input.size);
                run_prepare(&run);
                n++;
                if (json_member(wanted, "output")) {
                        append_member(&command, wanted, "output");
                        assert_int_equal(run.result, PIPELINE_ANSWER);
                        assert_text_equal(&run.answer, command.data, command.size);
                        continue;
                }

                append_member(&command, wanted, "cmdline");
                append_member(&code, wanted, "code");
                append_member(&arguments, wanted, "arguments");
                append_member(&stdin_text, wanted, "input");
                assert_int_equal(run.result, PIPELINE_RUN);
                assert_string_equal(run.request.cmdline, text_string(&command));
                assert_text_equal(&run.request.code, text_string(&code), code.size);
                assert_string_equal(run.request.arguments, text_string(&arguments));
                assert_text_equal(&run.request.input, text_string(&stdin_text), stdin_text.size);
        }
        assert_true(n > 50);
}

static void test_outputs_of_pbot(void **state) {
        _cleanup_json_ Json *examples = examples_load();
        const Json *cases = json_member(examples, "output_rewrites");
        (void)state;

        assert_true(json_size(cases) > 50);
        for (size_t i = 0; i < json_size(cases); i++) {
                _cleanup_text_ Text code = {}, output = {}, wanted = {};
                _cleanup_(run_done) Run run = {};

                append_member(&code, json_at(cases, i), "code");
                append_member(&output, json_at(cases, i), "guest_output");
                append_member(&wanted, json_at(cases, i), "v2026");
                text_append_char(&output, '\n'); /* as the reader of replies does */
                empty_state();
                run_start(&run, json_string(json_member(json_at(cases, i), "lang"), NULL),
                        json_string(json_member(json_at(cases, i), "channel"), NULL), text_string(&code),
                        code.size);
                run_prepare(&run);
                assert_int_equal(run.result, PIPELINE_RUN);
                assert_int_equal(pipeline_finish(run.pipeline, output.data, output.size, NULL, &run.answer),
                        PIPELINE_ANSWER);
                assert_text_equal(&run.answer, text_string(&wanted), wanted.size);
        }
}

static void test_answers_without_a_guest(void **state) {
        (void)state;
        assert_answer("sh", "-info x", "sh cmdline: sh prog.sh\n");
        assert_answer("c++", "-O9 -info x -paste",
                "c++ cmdline: g++ -ggdb -g3 prog.cpp -std=c++14 -Wextra -Wall -Wno-unused-parameter "
                "-Wno-unused-variable -pedantic -Wfloat-equal -Wshadow -lm -Wfatal-errors "
                "-fsanitize=alignment,undefined -o prog\n");
        assert_answer("c11", "int f() { return 1; ", "error: unmatched brackets\n");
        assert_answer("sh", "",
                "Usage: cc [-lang=<language>] [-vm=<virtual machine>] [-info] [-paste] [-args "
                "\"command-line "
                "arguments\"] [compiler/language options] <code> [-stdin <stdin input>]\n");
}

static void test_unknown_names(void **state) {
        (void)state;
        _cleanup_(run_done) Run run = {}, other = {};

        run_start(&run, "nosuch", "c", "", 0);
        run.query.vm = strdup("nosuch");
        run_open(&run);
        assert_int_equal(run.result, PIPELINE_ANSWER);
        assert_text(&run.answer, "Unknown machine 'nosuch'; available machines are: main, test\n");

        run_start(&other, "nosuch", "c", "", 0);
        run_open(&other);
        assert_int_equal(other.result, PIPELINE_ANSWER);
        assert_non_null(strstr(text_string(&other.answer), "Language 'nosuch' is not supported.\nSupported "
                                                           "languages are: bash, bc, bf, "));
}

static void test_the_request(void **state) {
        _cleanup_(run_done) Run run = {};
        (void)state;

        run_start(&run, "clisp", " #c ", "(print 1)", 9);
        run.query.factoid = strdup("f");
        run.query.persist_key = strdup("k");
        free(run.query.arguments);
        run.query.arguments = strdup("a b");
        run_prepare(&run);
        assert_int_equal(run.result, PIPELINE_RUN);
        assert_string_equal(run.request.lang, "clisp");
        assert_string_equal(run.request.sourcefile, "prog.lisp");
        assert_string_equal(run.request.execfile, "prog.lisp");
        assert_string_equal(run.request.cmdline, "clisp prog.lisp");
        assert_string_equal(run.request.arguments, "a b");
        assert_string_equal(run.request.factoid, "f");
        assert_string_equal(run.request.persist_key, "k");
        assert_int_equal(run.request.date, 1234);
        assert_text(&run.request.input, SAYING);
        assert_string_equal(pipeline_machine(run.pipeline), "main");
}

static void test_the_languages_own_means(void **state) {
        _cleanup_(run_done) Run python = {}, ruby = {}, sh = {};
        (void)state;

        run_code(&python, "python3", "#c", "# don't\nprint('a\\nb')  \n");
        assert_string_equal(python.request.environment[0], "PYTHONUNBUFFERED=1");
        assert_null(python.request.environment[1]);
        assert_false(python.request.terminal);
        assert_text(&python.request.code, "# don't\nprint('a\\nb')  \n");
        run_code(&ruby, "ruby", "#c", "-args \"a b\" puts 1");
        assert_true(ruby.request.terminal);
        assert_string_equal(ruby.request.arguments, "a b");
        run_code(&sh, "sh", "#c", "echo");
        assert_null(sh.request.environment);
        assert_false(sh.request.terminal);
}

/* A comment is code, even if what follows it looks like a command. */
static void test_comments_are_no_options(void **state) {
        _cleanup_(run_done) Run run = {};
        (void)state;

        empty_state();
        run_code(&run, "lua", "#c", "-- run this\nprint(1)");
        assert_int_equal(run.result, PIPELINE_RUN);
        assert_text(&run.request.code, "-- run this\nprint(1)");
        assert_string_equal(run.request.cmdline, "lua prog.lua");
}

static void test_no_saying_is_null(void **state) {
        _cleanup_(run_done) Run run = {};
        char *file = TAKE_PTR(config->fortune_file);
        (void)state;

        run_code(&run, "sh", "#c", "cat");
        config->fortune_file = file;
        assert_int_equal(run.result, PIPELINE_RUN);
        assert_true(run.request.input_null);
        assert_int_equal(run.request.input.size, 0);
}

static void test_bc_is_not_prepared(void **state) {
        _cleanup_(run_done) Run run = {};
        (void)state;

        run_code(&run, "bc", "#c", "1\\n2");
        assert_int_equal(run.result, PIPELINE_RUN);
        assert_text(&run.request.code, "1\\n2\nquit\n");
}

/* A factoid is always shown. */
static void test_same_output(void **state) {
        static const char output[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n";
        static const struct {
                const char *factoid, *wanted;
        } cases[] = { { NULL, output }, { NULL, "Same output.\n" }, { "f", output },
                { NULL, "Same output.\n" } };
        (void)state;

        empty_state();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(run_done) Run run = {};
                run_start(&run, "sh", "#same", "echo", 4);
                run.query.factoid = cases[i].factoid ? strdup(cases[i].factoid) : NULL;
                run_prepare(&run);
                assert_int_equal(pipeline_finish(run.pipeline, output, strlen(output), NULL, &run.answer),
                        PIPELINE_ANSWER);
                assert_text(&run.answer, cases[i].wanted);
        }
}

static void test_shown_code_has_no_options(void **state) {
        (void)state;
        empty_state();
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_(run_done) Run run = {};
                run_code(&run, "sh", "private", i == 0 ? "-x -args y echo 1 -stdin z" : "echo 2");
                assert_int_equal(run.result, PIPELINE_RUN);
        }
        assert_answer("sh", "undo", "echo 1 \n");
}

static void test_without_a_state_folder(void **state) {
        _cleanup_(run_done) Run run = {};
        (void)state;

        run_start(&run, "sh", "#c", "run", 3);
        assert_int_equal(
                pipeline_open(config, &run.query, languages, rewrites, NULL, &run.pipeline, &run.answer),
                PIPELINE_RUN);
        assert_int_equal(pipeline_prepare(run.pipeline, 1, &run.request, &run.answer), PIPELINE_ANSWER);
        assert_text(&run.answer, "No recent code to run.\n");
}

static void test_the_document_of_a_paste(void **state) {
        static const char wanted[] = "echo \"$1\" \n\n"
                                     ": <<'CMDLINE'\n"
                                     "sh prog.sh\n"
                                     "arguments: a b\n"
                                     "stdin: x\\ny\n"
                                     "CMDLINE\n\n"
                                     ": << 'OUTPUT'\n"
                                     "out\n"
                                     "OUTPUT\n";
        _cleanup_(run_done) Run run = {};
        (void)state;

        run_code(&run, "sh", "#c", "-paste -args 'a b' echo \"$1\" -stdin x\\ny");
        assert_int_equal(run.result, PIPELINE_RUN);
        assert_int_equal(pipeline_finish(run.pipeline, "out \n\n", 6, NULL, &run.answer), PIPELINE_PASTE);
        assert_text(&run.answer, wanted);
}

static void test_a_paste_without_input(void **state) {
        _cleanup_(run_done) Run run = {};
        (void)state;

        run_code(&run, "sh", "#c", "-paste echo hi -stdin 0");
        assert_int_equal(run.result, PIPELINE_RUN);
        assert_int_equal(pipeline_finish(run.pipeline, "hi\n", 3, NULL, &run.answer), PIPELINE_PASTE);
        assert_null(strstr(text_string(&run.answer), "stdin:"));
}

static void test_a_paste_has_places_and_formatted_code(void **state) {
        _cleanup_(run_done) Run run = {};
        (void)state;

        run_code(&run, "c11", "#c", "-paste int x = 5; x");
        assert_int_equal(run.result, PIPELINE_RUN);
        assert_non_null(strstr(run.request.cmdline, " -fdiagnostics-show-caret -o prog"));
        assert_int_equal(pipeline_finish(run.pipeline, "prog.c:38:5: warning: x\n", 24, NULL, &run.answer),
                PIPELINE_PASTE);
        assert_non_null(strstr(text_string(&run.answer), "OUTPUT *************\n\n38:5: warning: x\n"));
        assert_non_null(strstr(text_string(&run.answer), "\n    print_last_statement(x);\n"));
}

static void test_long_lines_of_a_document_break(void **state) {
        _cleanup_(run_done) Run run = {};
        _cleanup_text_ Text output = {};
        (void)state;

        for (unsigned i = 0; i < 100; i++)
                text_append_string(&output, "0123456789 ");
        run_code(&run, "sh", "#c", "-paste x");
        assert_int_equal(
                pipeline_finish(run.pipeline, output.data, output.size, NULL, &run.answer), PIPELINE_PASTE);
        size_t longest = 0, line = 0;
        for (size_t i = 0; i < run.answer.size; i++) {
                line = run.answer.data[i] == '\n' ? 0 : line + 1;
                longest = MAX(longest, line);
        }
        assert_int_equal(longest, 120);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sh_opens_two_files_and_compiles_nothing),
                cmocka_unit_test(test_c_compiles_what_the_output_needs),
                cmocka_unit_test(test_options_of_pbot),
                cmocka_unit_test(test_outputs_of_pbot),
                cmocka_unit_test(test_answers_without_a_guest),
                cmocka_unit_test(test_unknown_names),
                cmocka_unit_test(test_the_request),
                cmocka_unit_test(test_the_languages_own_means),
                cmocka_unit_test(test_comments_are_no_options),
                cmocka_unit_test(test_no_saying_is_null),
                cmocka_unit_test(test_bc_is_not_prepared),
                cmocka_unit_test(test_same_output),
                cmocka_unit_test(test_shown_code_has_no_options),
                cmocka_unit_test(test_without_a_state_folder),
                cmocka_unit_test(test_the_document_of_a_paste),
                cmocka_unit_test(test_a_paste_without_input),
                cmocka_unit_test(test_a_paste_has_places_and_formatted_code),
                cmocka_unit_test(test_long_lines_of_a_document_break),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
