/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan/plan.h"

#define EXIT_(n) ((n) << 8)
#define OUTPUT_LIMIT 1000

/* One program by the default runner. */
static const struct {
        const char *err, *out;
        int status;
        bool factoid;
        const char *result;
} programs[] = {
        { "", "", 0, false, "Success (no output).\n" },
        { "", "", EXIT_(1), false, "Exit 1.\n" },
        { "", "", EXIT_(1), true, "\n" },
        { "", "", 0, true, "\n" },
        { "", "out", 0, false, "out\n" },
        { "", "  x  ", 0, false, "  x  \n" },
        { "", "\n", 0, false, "\n" },
        { "", "0", 0, false, "0\n" },
        { "", "out\n", EXIT_(4), false, "out\n [Exit 4]\n" },
        { "", "x\n", EXIT_(3), true, "x\n [Exit 3]\n" },
        { "err\n", "", 0, false, "err\n \n" },
        { "err\n", "", EXIT_(1), false, "err\n  [Exit 1]\n" },
        { "err\n", "out\n", EXIT_(4), false, "err\n out\n [Exit 4]\n" },
        { "err", "out", 0, false, "err out\n" },
        { "", "\351\n", 0, false, "\357\277\275\n" },
        { "", "a\355\240\200b", 0, false, "a\357\277\275b\n" },
        { "", "", EXIT_(137), false, "Exit 137.\n" },
        { "", "", SIGABRT, false, "Aborted (SIGABRT).\n" },
        { "", "x\n", SIGSEGV, false, "x\n [Segmentation fault (SIGSEGV)]\n" },
        { "", "", SIGKILL, true, "\n" },
};

static void fill(Text *text, const char *string) {
        text_append_string(text, string);
}

static void outcome_done(JobOutcome *outcome) {
        for (size_t i = 0; i < 2; i++)
                step_outcome_done(&outcome->steps[i]);
}

static void assert_report(const Plan *plan, bool factoid, const JobOutcome *outcome, const char *result) {
        Request request = REQUEST_INIT;
        _cleanup_reply_ Reply reply = {};

        request.factoid = factoid ? (char *)"#c:f" : NULL;
        request.sourcefile = (char *)"prog.c";
        assert_int_equal(report_make(&request, plan, outcome, &reply), 0);
        assert_string_equal(text_string(&reply.result), result);
}

/* PBot reads lines of Java until they are long enough in all. */
static void test_shown_lines(void **state _unused_) {
        static const struct {
                const char *out, *result;
                unsigned truncated;
        } cases[] = {
                { "aaaa\nbbbb\n", "aaaa\nbbbb\n", 0 },
                { "aaaa\nbbbb\ncccc\n", "aaaa\nbbbb\n", 5 },
                { "aaaa\nbbbbbbbb\ncc\n", "aaaa\nbbbbbbbb\n", 3 },
                { "aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaa\n", 0 },
        };
        Plan plan = { .n_steps = 2, .compiles = true, .trimmed = true, .shown_bytes = 10 };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(outcome_done) JobOutcome outcome = { .output_limit = OUTPUT_LIMIT };
                _cleanup_reply_ Reply reply = {};
                Request request = REQUEST_INIT;

                outcome.steps[0].started = outcome.steps[0].ended = true;
                outcome.steps[1].started = outcome.steps[1].ended = true;
                fill(&outcome.steps[1].out, cases[i].out);
                assert_int_equal(report_make(&request, &plan, &outcome, &reply), 0);
                assert_string_equal(text_string(&reply.result), cases[i].result);
                assert_int_equal(reply.truncated, cases[i].truncated);
        }
}

/* To PBot's agent an empty name is none. */
static void test_empty_factoid(void **state _unused_) {
        _cleanup_(outcome_done) JobOutcome outcome = { .output_limit = OUTPUT_LIMIT };
        _cleanup_reply_ Reply reply = {};
        Request request = REQUEST_INIT;
        Plan plan = { .n_steps = 1 };

        request.factoid = (char *)"";
        outcome.steps[0].started = outcome.steps[0].ended = true;
        assert_int_equal(report_make(&request, &plan, &outcome, &reply), 0);
        assert_string_equal(text_string(&reply.result), "Success (no output).\n");
}

static void test_programs(void **state _unused_) {
        Plan plan = { .n_steps = 1 };

        for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                _cleanup_(outcome_done) JobOutcome outcome = { .output_limit = OUTPUT_LIMIT };

                outcome.steps[0] =
                        (StepOutcome){ .started = true, .ended = true, .status = programs[i].status };
                fill(&outcome.steps[0].err, programs[i].err);
                fill(&outcome.steps[0].out, programs[i].out);
                assert_report(&plan, programs[i].factoid, &outcome, programs[i].result);
        }
}

static void test_limits(void **state _unused_) {
        static const struct {
                const char *out;
                JobOutcome limit;
                int status;
                bool ended;
                const char *result;
        } cases[] = {
                { "a\n", { .timed_out = true }, 0, false, "a\n [Timed-out]\n" },
                { "", { .timed_out = true }, 0, false, "[Timed-out]\n" },
                { "a\n", { .oom = true }, SIGKILL, true, "a\n [Out of memory]\n" },
                { "", { .cpu_exceeded = true }, SIGKILL, true, "[CPU time limit exceeded]\n" },
                { "a", { .truncated = 5 }, EXIT_(2), true, "a [Output truncated at 1000 bytes] [Exit 2]\n" },
                { "a\n", { .truncated = 5, .timed_out = true }, 0, false,
                        "a\n [Output truncated at 1000 bytes] [Timed-out]\n" },
                { "a\n", { .disk_full = true }, EXIT_(1), true, "a\n [Disk limit reached] [Exit 1]\n" },
                { "", { .processes_exceeded = true }, EXIT_(1), true, "[Process limit reached] [Exit 1]\n" },
        };
        Plan plan = { .n_steps = 1 };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(outcome_done) JobOutcome outcome = cases[i].limit;

                outcome.output_limit = OUTPUT_LIMIT;
                outcome.steps[0] =
                        (StepOutcome){ .started = true, .ended = cases[i].ended, .status = cases[i].status };
                fill(&outcome.steps[0].out, cases[i].out);
                assert_report(&plan, false, &outcome, cases[i].result);
        }
}

static void assert_compiled(
        Plan plan, const char *said, int compiler, const char *out, int program, const char *result) {
        _cleanup_(outcome_done) JobOutcome outcome = { .output_limit = OUTPUT_LIMIT };

        plan.compiles = plan.run_after_success = true;
        plan.n_steps = 2;
        outcome.steps[0] = (StepOutcome){ .started = true, .ended = true, .status = compiler };
        fill(&outcome.steps[0].err, said);
        if (compiler == 0) {
                outcome.steps[1] = (StepOutcome){ .started = true, .ended = true, .status = program };
                fill(&outcome.steps[1].out, out);
        }
        assert_report(&plan, false, &outcome, result);
}

static void test_compilers(void **state _unused_) {
        Plan c = { .debugged = true }, java = { .status_of_compiler = true, .trimmed = true };

        assert_compiled(c, "", 0, "hi\n", 0, "hi\n");
        assert_compiled(c, "p.c:1: warning\n", 0, "hi\n", 0, "[p.c:1: warning]\nhi\n");
        assert_compiled(c, "p.c:1: warning\n", 0, "", EXIT_(3), "[p.c:1: warning]\n\nExit 3.\n");
        assert_compiled(c, "p.c:1: error\n", EXIT_(1), "", 0, "p.c:1: error\n \n");
        assert_compiled(c, "", EXIT_(1), "", 0, "Exit 1.\n");
        /* The debugger has told of the signal. */
        assert_compiled(c, "", 0, "\nProgram received signal\n\n", SIGSEGV, "\nProgram received signal\n\n");
        assert_compiled(java, "p.java:1: error\n", EXIT_(1), "", 0, "p.java:1: error\n  [Exit 1]\n");
        assert_compiled(java, "", 0, "a\n b \n\n", EXIT_(1), "a\n b\n [Exit 1]\n");
}

static void test_not_found(void **state _unused_) {
        char *argv[] = { (char *)"ghc", NULL };
        Plan plan = { .n_steps = 2, .compiles = true, .run_after_success = true };
        JobOutcome outcome = {};

        plan.steps[0].argv = argv;
        outcome.steps[0].start_errno = ENOENT;
        assert_report(&plan, false, &outcome, "Command 'ghc' not found.\n \n");
}

/* "compiler 4, program 2": whose words the result is made of. */
static void assert_told(const Plan *plan, const JobOutcome *outcome, const char *result, const char *parts) {
        Request request = REQUEST_INIT;
        _cleanup_reply_ Reply reply = {};
        _cleanup_text_ Text text = {};

        request.sourcefile = (char *)"prog.c";
        assert_int_equal(report_make(&request, plan, outcome, &reply), 0);
        assert_string_equal(text_string(&reply.result), result);
        assert_int_equal(reply.parts.size, reply.result.size);
        for (size_t i = 0; i < reply.parts.n; i++)
                text_append_printf(&text, "%s%s %zu", i > 0 ? ", " : "", who_name(reply.parts.list[i].who),
                        reply.parts.list[i].size);
        assert_string_equal(text_string(&text), parts);
}

static void test_whose_words(void **state _unused_) {
        static const struct {
                Plan plan;
                int compiler, program;
                const char *said, *err, *out;
                size_t noted_err, noted_out; /* the first bytes, by the debugger */
                const char *result, *parts;
        } cases[] = {
                { { .n_steps = 1 }, 0, 0, "", "", "hi\n", 0, 0, "hi\n", "program 3" },
                { { .n_steps = 1 }, EXIT_(3), 0, "", "", "hi", 0, 0, "hi [Exit 3]\n",
                        "program 2, agent 10" },
                { { .n_steps = 1 }, 0, 0, "e\n", "", "", 0, 0, "e\n \n", "program 2, agent 2" },
                /* An interpreter that refuses the program. */
                { { .n_steps = 1 }, EXIT_(255), 0, "e\n", "", "", 0, 0, "e\n  [Exit 255]\n",
                        "compiler 2, agent 13" },
                { { .n_steps = 1 }, EXIT_(255), 0, "e\n", "", "hi\n", 0, 0, "e\n hi\n [Exit 255]\n",
                        "program 2, agent 1, program 3, agent 12" },
                { { .n_steps = 1 }, 0, 0, "", "", "", 0, 0, "Success (no output).\n", "agent 21" },
                { { .n_steps = 2, .compiles = true }, EXIT_(1), 0, "error\n", "", "", 0, 0, "error\n \n",
                        "compiler 6, agent 2" },
                { { .n_steps = 2, .compiles = true }, 0, 0, "warning\n", "", "hi\n", 0, 0, "[warning]\nhi\n",
                        "compiler 10, program 3" },
                { { .n_steps = 2, .compiles = true, .debugged = true }, 0, SIGSEGV, "", "r\ne\n", "no\nhi\n",
                        2, 3, "r\ne\n no\nhi\n", "debugger 2, program 2, agent 1, debugger 3, program 3" },
                /* More than there is: cut at the limit of output. */
                { { .n_steps = 2, .compiles = true, .debugged = true }, 0, 0, "", "", "no\n", 0, 9, "no\n",
                        "debugger 3" },
                /* What is no text becomes some, piece by piece. */
                { { .n_steps = 2, .compiles = true, .debugged = true }, 0, 0, "", "", "\xff\xc3\xa9", 0, 1,
                        "\xef\xbf\xbd\xc3\xa9\n", "debugger 3, program 2, agent 1" },
                { { .n_steps = 2, .compiles = true, .sanitized = true }, 0, EXIT_(1), "", "r\n", "hi\n", 0,
                        0, "r\n hi\n [Exit 1]\n", "debugger 2, agent 1, program 3, agent 10" },
                { { .n_steps = 2, .compiles = true, .sanitized = true }, 0, 0, "", "e\n", "hi\n", 0, 0,
                        "e\n hi\n", "program 2, agent 1, program 3" },
                { { .n_steps = 2, .compiles = true, .trimmed = true }, 0, 0, "", "", "a\n \n", 0, 0, "a\n",
                        "program 1, agent 1" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(outcome_done) JobOutcome outcome = { .output_limit = OUTPUT_LIMIT };
                StepOutcome *first = &outcome.steps[0], *last = &outcome.steps[cases[i].plan.n_steps - 1];

                *first = (StepOutcome){ .started = true, .ended = true, .status = cases[i].compiler };
                fill(&first->err, cases[i].said);
                if (cases[i].compiler == 0 || first == last) {
                        last->started = last->ended = true;
                        last->status = first == last ? cases[i].compiler : cases[i].program;
                        fill(&last->err, cases[i].err);
                        fill(&last->out, cases[i].out);
                        parts_add(&last->notes[NOTES_ERR], WHO_DEBUGGER, cases[i].noted_err);
                        parts_add(&last->notes[NOTES_OUT], WHO_DEBUGGER, cases[i].noted_out);
                }
                assert_told(&cases[i].plan, &outcome, cases[i].result, cases[i].parts);
        }
}

static void assert_members(int status, bool ended, bool exited, int exit_status, const char *signal) {
        JobOutcome outcome = { .cpu_usec = 7, .wall_usec = 8, .max_rss_bytes = 9, .truncated = 3 };
        Plan plan = { .n_steps = 1 };
        Request request = REQUEST_INIT;
        _cleanup_reply_ Reply reply = {};

        outcome.steps[0] = (StepOutcome){ .started = true, .ended = ended, .status = status };
        outcome.timed_out = !ended;
        assert_int_equal(report_make(&request, &plan, &outcome, &reply), 0);
        assert_true(reply.present);
        assert_int_equal(reply.exited, exited);
        assert_int_equal(reply.exit_status, exit_status);
        assert_true(streq_ptr(reply.signal, signal));
        assert_int_equal(reply.timed_out, !ended);
        assert_int_equal(reply.cpu_usec, 7);
        assert_int_equal(reply.wall_usec, 8);
        assert_int_equal(reply.max_rss_bytes, 9);
        assert_int_equal(reply.truncated, 3);
}

static void test_members(void **state _unused_) {
        assert_members(EXIT_(5), true, true, 5, NULL);
        assert_members(SIGKILL, true, false, 0, "SIGKILL");
        /* Nobody gets a guest reverted with an exit status. */
        assert_members(EXIT_(137), true, true, 137, NULL);
        assert_members(0, false, false, 0, NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_programs),
                cmocka_unit_test(test_shown_lines),
                cmocka_unit_test(test_empty_factoid),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_compilers),
                cmocka_unit_test(test_not_found),
                cmocka_unit_test(test_whose_words),
                cmocka_unit_test(test_members),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
