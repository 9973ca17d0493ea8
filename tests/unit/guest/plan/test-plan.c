/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan/plan.h"

static Request make_request(
        const char *lang, const char *source, const char *cmdline, const char *arguments) {
        Request request = REQUEST_INIT;

        request.lang = strdup(lang);
        request.sourcefile = strdup(source);
        request.execfile = strdup("prog");
        request.cmdline = strdup(cmdline);
        request.arguments = strdup(arguments);
        text_append_string(&request.code, "code");
        text_append_string(&request.input, "in");
        return request;
}

static Plan *make_plan(const char *lang, const char *source, const char *cmdline, const char *arguments) {
        _cleanup_request_ Request request = make_request(lang, source, cmdline, arguments);
        _cleanup_text_ Text error = {};
        Plan *plan = NULL;

        assert_int_equal(plan_make(&request, &plan, &error), 0);
        assert_non_null(plan);
        return plan;
}

/* Expected: joined by '|'. */
static void assert_words(char **words, const char *expected) {
        _cleanup_text_ Text joined = {};

        assert_non_null(words);
        for (char **word = words; *word; word++)
                text_append_printf(&joined, "%s%s", word == words ? "" : "|", *word);
        assert_string_equal(text_string(&joined), expected);
}

static void assert_step(const Plan *plan, size_t i, const char *expected) {
        assert_true(i < plan->n_steps);
        assert_words(plan->steps[i].argv, expected);
}

#define DRIVER(source) "pbotvm-gdb|--compile|--source|" source "|--|"

static const struct {
        const char *lang, *source, *cmdline, *arguments;
        const char *first, *second;
        bool debugged;
} plans[] = {
        { "sh", "prog.sh", "sh prog.sh", "", "/bin/bash|-c|sh prog.sh ", NULL, false },
        { "sh", "prog.sh", "sh prog.sh", "it's $x 'a b'", "/bin/bash|-c|sh prog.sh 'its $x a' 'b'\\'''",
                NULL, false },
        { "nosuch", "p", "x 'y z'", "a\\b", "/bin/bash|-c|x 'y z' 'a\\b'", NULL, false },
        { "c2x", "prog.c", "gcc prog.c -o prog", "a\\ b c", DRIVER("prog.c") "gcc|prog.c|-o|prog",
                "pbotvm-gdb|--source|prog.c|--|./prog|a b|c", true },
        { "clang++", "prog.cpp", "clang++ prog.cpp -o prog", "",
                DRIVER("prog.cpp") "clang++|prog.cpp|-o|prog|-fstandalone-debug",
                "pbotvm-gdb|--source|prog.cpp|--|./prog", true },
        { "clang++", "prog.cpp", "clang++-3.7 prog.cpp", "",
                DRIVER("prog.cpp") "clang++-3.7|prog.cpp|-fstandalone-debug",
                "pbotvm-gdb|--source|prog.cpp|--|./prog", true },
        { "c11", "prog.c", "gcc -fsanitize=undefined,address prog.c -o prog", "x",
                DRIVER("prog.c") "gcc|-fsanitize=undefined,address|prog.c|-o|prog", "./prog|x", false },
        { "c11", "prog.c", "gcc -fsanitize=undefined prog.c -o prog", "",
                DRIVER("prog.c") "gcc|-fsanitize=undefined|prog.c|-o|prog",
                "pbotvm-gdb|--source|prog.c|--|./prog", true },
        { "haskell", "prog.hs", "ghc -v0 -o prog prog.hs", "1", "ghc|-v0|-o|prog|prog.hs", "./prog|1",
                false },
        { "c2x", "prog.c", "gcc --version", "", DRIVER("prog.c") "gcc|--version", NULL, false },
        { "c2x", "prog.c", "gcc -print-search-dirs", "", DRIVER("prog.c") "gcc|-print-search-dirs", NULL,
                false },
        { "c2x", "prog.c", "gcc -c prog.c -o prog", "", DRIVER("prog.c") "gcc|-c|prog.c|-o|prog", NULL,
                false },
        { "c2x", "prog.c", "gcc -S prog.c -o prog", "", DRIVER("prog.c") "gcc|-S|prog.c|-o|prog",
                "awk|-v|source=prog.c|1|./prog", false },
        { "java", "prog.java", "javac prog.java", "a 'b c'", "/bin/bash|-c|javac prog.java ",
                "java|-Xshare:auto|-XX:TieredStopAtLevel=1|-XX:+UseSerialGC|prog|a|b c", false },
        { "go", "prog.go", "go run prog.go", "a 'b c'", "go|build|-ldflags=-s -w|-o|prog|prog.go",
                "./prog|a|b c", false },
        { "go", "prog.go", "go version", "", "/bin/bash|-c|go version ", NULL, false },
        { "tendra", "prog.c", "tcc prog.c -o prog", "x", "/bin/bash|-c|tcc prog.c -o prog ", "./prog|x",
                false },
};

static void test_steps(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(plans); i++) {
                _cleanup_(plan_freep) Plan *plan =
                        make_plan(plans[i].lang, plans[i].source, plans[i].cmdline, plans[i].arguments);

                assert_step(plan, 0, plans[i].first);
                assert_int_equal(plan->n_steps, plans[i].second ? 2 : 1);
                if (plans[i].second)
                        assert_step(plan, 1, plans[i].second);
                assert_int_equal(plan->debugged, plans[i].debugged);
                assert_int_equal(plan->steps[0].stdin_file, !plan->compiles);
        }
}

static void test_javac_is_started_as_a_short_run(void **state _unused_) {
        static const struct {
                const char *cmdline, *direct; /* NULL: a shell's */
        } cases[] = {
                { "javac -Xlint prog.java",
                        "javac|-J-Xshare:auto|-J-XX:SharedArchiveFile=/var/cache/pbotvm-guest/javac.jsa|"
                        "-J-Xlog:disable|-J-XX:TieredStopAtLevel=1|-J-XX:+UseSerialGC|-Xlint|prog.java" },
                { "javac prog.java; true", NULL },
                { "ecj prog.java", "ecj|prog.java" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(plan_freep) Plan *plan = make_plan("java", "prog.java", cases[i].cmdline, "");
                char **direct = plan->steps[0].direct;

                assert_int_equal(direct != NULL, cases[i].direct != NULL);
                if (!direct)
                        continue;
                assert_words(direct, cases[i].direct);
        }
}

static void test_what_compilers_start_is_started(void **state _unused_) {
        static const struct {
                const char *lang, *cmdline, *direct; /* NULL: by the plan's own words */
        } cases[] = {
                { "go", "go run prog.x", "pbotvm-gdb|--direct|--|go|build|-ldflags=-s -w|-o|prog|prog.x" },
                { "haskell", "ghc -v0  -o prog prog.hs", "pbotvm-gdb|--direct|--|ghc|-v0|-o|prog|prog.hs" },
                { "c11", "gcc prog.c -o prog", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(plan_freep) Plan *plan = make_plan(cases[i].lang, "prog.x", cases[i].cmdline, "");

                if (cases[i].direct)
                        assert_words(plan->steps[0].direct, cases[i].direct);
                else
                        assert_null(plan->steps[0].direct);
        }
}

static void test_files(void **state _unused_) {
        _cleanup_(plan_freep) Plan *plan = make_plan("sh", "prog.sh", "sh prog.sh", "");
        _cleanup_request_ Request request = make_request("sh", "prog.sh", "sh", ""),
                                  c = make_request("c11", "prog.c", "gcc", "");
        _cleanup_(plan_freep) Plan *silent = NULL, *compiled = NULL;
        _cleanup_text_ Text error = {};

        assert_string_equal(text_string(&plan->source), "code\n");
        assert_string_equal(text_string(&plan->input), "in\n");
        text_clear(&request.input);
        text_clear(&c.input);
        assert_int_equal(plan_make(&request, &silent, &error), 0);
        assert_int_equal(silent->input.size, 0);
        assert_int_equal(plan_make(&c, &compiled, &error), 0);
        assert_int_equal(compiled->input.size, 0); /* the end of file at once */
}

static void test_environment_is_the_programs(void **state _unused_) {
        static char *environment[] = { (char *)"A=b", (char *)"C=d e", NULL };
        static const char *const langs[] = { "python3", "haskell", "java", "go" };

        for (size_t i = 0; i < ELEMENTSOF(langs); i++) {
                _cleanup_request_ Request request = make_request(langs[i], "prog.x", "x run prog.x", "");
                _cleanup_(plan_freep) Plan *plan = NULL;
                _cleanup_text_ Text error = {};

                request.environment = environment;
                request.terminal = true;
                assert_int_equal(plan_make(&request, &plan, &error), 0);
                request.environment = NULL;
                for (size_t k = 0; k < plan->n_steps; k++) {
                        bool program = k + 1 == plan->n_steps;
                        assert_string_equal(plan->steps[k].env[0], "LC_ALL=C.UTF-8");
                        assert_int_equal(plan->steps[k].terminal, program);
                        if (program)
                                assert_string_equal(plan->steps[k].env[2], "C=d e");
                        else if (streq_ptr(request.lang, "go"))
                                assert_string_equal(plan->steps[k].env[1], "GODEBUG=installgoroot=all");
                        else
                                assert_null(plan->steps[k].env[1]);
                }
        }
}

static const char *time_of(uint64_t wall, uint64_t cpu, Plan **plan) {
        _cleanup_request_ Request request = make_request("c11", "prog.c", "gcc", "");
        _cleanup_text_ Text error = {};

        request.limits.wall_usec = wall;
        request.limits.cpu_usec = cpu;
        assert_int_equal(plan_make(&request, plan, &error), 0);
        assert_string_equal((*plan)->steps[1].env[0], "LC_ALL=C.UTF-8");
        return (*plan)->steps[1].env[1];
}

static void test_debugger_has_less_time_than_the_job(void **state _unused_) {
        static const struct {
                uint64_t wall, cpu;
                const char *time;
        } cases[] = {
                { LIMIT_UNSET, LIMIT_UNSET, "PBOTVM_TIME_USEC=7700000" },
                { 5000000, LIMIT_UNSET, "PBOTVM_TIME_USEC=4300000" },
                { LIMIT_UNSET, 2000000, "PBOTVM_TIME_USEC=1700000" },
                { 1000000, 1000000, "PBOTVM_TIME_USEC=500000" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(plan_freep) Plan *plan = NULL;

                assert_string_equal(time_of(cases[i].wall, cases[i].cpu, &plan), cases[i].time);
        }
}

static void test_refuses_paths(void **state _unused_) {
        static const char *const names[] = { "", "../x", "/etc/passwd", "a/b", ".", "..", "a\nb" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_request_ Request request = make_request("c11", names[i], "gcc", "");
                _cleanup_text_ Text error = {};
                Plan *plan = NULL;

                assert_int_equal(plan_make(&request, &plan, &error), -EBADMSG);
                assert_true(error.size > 0);
                free(request.sourcefile);
                request.sourcefile = strdup("prog.c");
                free(request.execfile);
                request.execfile = strdup(names[i]);
                text_clear(&error);
                assert_int_equal(plan_make(&request, &plan, &error), -EBADMSG);
                assert_true(error.size > 0);
                assert_null(plan);
        }
}

static void test_goes_on_after_success(void **state _unused_) {
        _cleanup_(plan_freep) Plan *plan = make_plan("c11", "prog.c", "gcc", ""),
                                   *sh = make_plan("sh", "x", "sh", "");

        assert_true(plan_goes_on(plan, &(StepOutcome){ .started = true, .ended = true, .status = 0 }));
        assert_false(plan_goes_on(plan, &(StepOutcome){ .started = true, .ended = true, .status = 1 << 8 }));
        assert_false(plan_goes_on(plan, &(StepOutcome){ .started = true, .ended = true, .status = 9 }));
        assert_false(plan_goes_on(plan, &(StepOutcome){ .started = true }));
        assert_false(plan_goes_on(sh, &(StepOutcome){ .started = true, .ended = true }));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_steps),
                cmocka_unit_test(test_javac_is_started_as_a_short_run),
                cmocka_unit_test(test_what_compilers_start_is_started),
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_environment_is_the_programs),
                cmocka_unit_test(test_debugger_has_less_time_than_the_job),
                cmocka_unit_test(test_refuses_paths),
                cmocka_unit_test(test_goes_on_after_success),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
