/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/plan.h"

#include <inttypes.h>
#include <sys/wait.h>

#include "plan/macros.h"
#include "plan/shell-text.h"
#include "plan/words.h"

/* The agent's own limits, where the request names none, and what of them is left to end a program and to
 * tell of it. */
#define WALL_DEFAULT (9500 * USEC_PER_MSEC)
#define CPU_DEFAULT (8 * USEC_PER_SEC)
#define WALL_RESERVE (700 * USEC_PER_MSEC)
#define CPU_RESERVE (300 * USEC_PER_MSEC)

/* How programs of a language are run. */
typedef enum Runner {
        RUNNER_SHELL,    /* the command line is shell text, and all there is */
        RUNNER_DEBUGGED, /* the command line is words that compile, the result runs under the debugger */
        RUNNER_COMPILED, /* likewise, without the debugger: it knows C alone */
        RUNNER_TENDRA,   /* the command line is shell text that compiles, the result is a program */
        RUNNER_JAVA,     /* likewise, the result is a class */
        RUNNER_GO,       /* the command line is words that compile and run */
} Runner;

static const struct {
        const char *lang;
        Runner runner;
} runners[] = {
        { "c89", RUNNER_DEBUGGED },
        { "c99", RUNNER_DEBUGGED },
        { "c11", RUNNER_DEBUGGED },
        { "c2x", RUNNER_DEBUGGED },
        { "clang", RUNNER_DEBUGGED },
        { "clang89", RUNNER_DEBUGGED },
        { "clang99", RUNNER_DEBUGGED },
        { "clang11", RUNNER_DEBUGGED },
        { "clang2x", RUNNER_DEBUGGED },
        { "cpp", RUNNER_DEBUGGED },
        { "clangpp", RUNNER_DEBUGGED },
        { "c++", RUNNER_DEBUGGED }, /* hosts send the alias as it is */
        { "clang++", RUNNER_DEBUGGED },
        { "freebasic", RUNNER_COMPILED },
        { "qbasic", RUNNER_COMPILED },
        { "haskell", RUNNER_COMPILED },
        { "tendra", RUNNER_TENDRA },
        { "java", RUNNER_JAVA },
        { "go", RUNNER_GO },
};

/* Options after which there is no program: what is shown is what the compiler says, or made. */
static const struct {
        const char *option;
        const char *
                show; /* a script for awk that prints of the made file what matters; NULL: nothing is made */
} stop_options[] = {
        /* Of the preprocessor's output the user's own part, without the headers; all of it if it names no
           lines. */
        { "-E", "/^# [0-9]+ \"/ { marked = 1; own = $3 == \"\\\"\" source \"\\\"\"; next } own && NF { "
                "print } "
                "!marked { lines[n++] = $0 } END { for (i = 0; !marked && i < n; i++) print lines[i] }" },
        { "-S", "1" },
        { "-c", NULL },
        { "-fsyntax-only", NULL },
        { "-M", NULL },
        { "-MM", NULL },
        { "--version", NULL },
        { "--analyze", NULL },
        { "-###", NULL },
        { "--help*", NULL },
        { "-print-*", NULL },
        { "--print-*", NULL },
        { "-dump*", NULL },
};

Plan *plan_free(Plan *plan) {
        if (!plan)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(plan->steps); i++) {
                strings_free(plan->steps[i].argv);
                strings_free(plan->steps[i].direct);
                strings_free(plan->steps[i].env);
        }
        text_done(&plan->source);
        text_done(&plan->input);
        free(plan);
        return NULL;
}

static Runner find_runner(const char *lang) {
        for (size_t i = 0; i < ELEMENTSOF(runners); i++)
                if (streq_ptr(runners[i].lang, lang))
                        return runners[i].runner;
        return RUNNER_SHELL;
}

/* A file of the job's own directory: a plain name. */
static int check_name(const char *what, const char *name, Text *error) {
        if (isempty(name))
                text_append_printf(error, "The request names no %s file.", what);
        else if (strlen(name) > 255 || strchr(name, '/') || strchr(name, '\n') || streq(name, ".") ||
                 streq(name, ".."))
                text_append_printf(
                        error, "The request's %s file must be a plain file name, not '%.100s'.", what, name);
        else
                return 0;
        return text_failed(error) ? -ENOMEM : -EBADMSG;
}

/* Characters of a program are UTF-8, whatever it is written in. */
#define ENV_UTF8 "LC_ALL=C.UTF-8"

/* Takes the words over as the next step. program: it is the user's, not what compiles or shows it. more: a
 * variable for its environment, or NULL. */
static int add_step(Plan *plan, const Request *request, Words *words, bool program, const char *more) {
        _cleanup_words_ Words variables = {};
        Step *step = &plan->steps[plan->n_steps];

        words_add_string(&variables, ENV_UTF8);
        if (program)
                words_add_strings(&variables, request->environment);
        if (more)
                words_add_string(&variables, more);
        step->argv = words_steal(words);
        step->env = words_steal(&variables);
        step->stdin_file = program;
        step->terminal = program && request->terminal;
        plan->n_steps++;
        return step->argv && step->env ? 0 : -ENOMEM;
}

/* The command line as shell text; arguments as inert words behind it. bash runs a simple command in its own
 * process, so the wait status is the program's; most need no bash at all, which takes as long to start as
 * what it starts. */
static int add_shell_step(Plan *plan, const Request *request, bool program) {
        _cleanup_words_ Words words = {}, arguments = {}, direct = {};
        _cleanup_text_ Text command = {};
        const char *cmdline = request->cmdline ? request->cmdline : "";
        int r;

        text_append_string(&command, cmdline);
        text_append_char(&command, ' ');
        if (program && !isempty(request->arguments)) {
                r = words_split(request->arguments, SPLIT_KEEP_BACKSLASH, &arguments);
                if (r < 0)
                        return r;
        }
        bool bare = shell_text_words(cmdline, &direct) > 0;
        if (bare)
                words_add_strings(&direct, arguments.items);
        for (size_t i = 0; i < arguments.n; i++) {
                if (i > 0)
                        text_append_char(&command, ' ');
                text_append_quoted(&command, arguments.items[i]);
        }
        if (text_failed(&command))
                return -ENOMEM;
        words_add_string(&words, "/bin/bash");
        words_add_string(&words, "-c");
        words_add_string(&words, text_string(&command));
        r = add_step(plan, request, &words, program, NULL);
        if (r >= 0 && bare)
                plan->steps[plan->n_steps - 1].direct = words_steal(&direct);
        return r;
}

static int add_arguments(Words *words, const Request *request, SplitBackslash backslash) {
        return isempty(request->arguments) ? 0 : words_split(request->arguments, backslash, words);
}

static void add_execfile(Words *words, const char *name) {
        _cleanup_text_ Text path = {};

        text_append_string(&path, "./");
        text_append_string(&path, name);
        if (text_failed(&path))
                words->failed = true;
        else
                words_add_string(words, text_string(&path));
}

/* True if one of the sanitizers that -fsanitize= names cannot live with a debugger, or gains nothing from
 * it. */
static bool sanitizer_forbids_debugger(char **command) {
        static const char *const names[] = { "address", "leak", "thread", "memory", "hwaddress", "fuzzer" };

        for (char **word = command; *word; word++) {
                const char *list = startswith(*word, "-fsanitize=");
                while (list && *list) {
                        size_t n = strcspn(list, ",");
                        for (size_t k = 0; k < ELEMENTSOF(names); k++)
                                if (strlen(names[k]) == n && memcmp(names[k], list, n) == 0)
                                        return true;
                        list += n + (list[n] == ',');
                }
        }
        return false;
}

/* An option, or, if it ends with an asterisk, one that begins so. */
static bool has_option(char **command, const char *option) {
        size_t n = strcspn(option, "*");

        for (char **word = command; *word; word++)
                if (strncmp(*word, option, n) == 0 && (option[n] == '*' || !(*word)[n]))
                        return true;
        return false;
}

/* After a compiler that stops before there is a program: the second step shows what it made, if that is
 * text. */
static int add_show_step(Plan *plan, const Request *request, const char *script) {
        _cleanup_words_ Words words = {};
        _cleanup_text_ Text source = {};

        text_append_printf(&source, "source=%s", request->sourcefile);
        words_add_string(&words, "awk");
        words_add_string(&words, "-v");
        words_add_string(&words, text_string(&source));
        words_add_string(&words, script);
        add_execfile(&words, request->execfile);
        return text_failed(&source) ? -ENOMEM : add_step(plan, request, &words, false, NULL);
}

/* The time that the debugger leaves a program, inside the job's limits of time and CPU. */
static void append_time(Text *text, const JobLimits *limits) {
        uint64_t wall = limits->wall_usec == LIMIT_UNSET ? WALL_DEFAULT : limits->wall_usec;
        uint64_t cpu = limits->cpu_usec == LIMIT_UNSET ? CPU_DEFAULT : limits->cpu_usec;

        text_append_printf(text, "PBOTVM_TIME_USEC=%" PRIu64,
                MIN(wall - MIN(wall / 2, WALL_RESERVE), cpu - MIN(cpu / 2, CPU_RESERVE)));
}

static int add_program_step(Plan *plan, const Request *request) {
        _cleanup_words_ Words words = {};
        _cleanup_text_ Text time = {};
        int r;

        if (plan->debugged) {
                words_add_string(&words, "pbotvm-gdb");
                words_add_string(&words, "--source");
                words_add_string(&words, request->sourcefile);
                words_add_string(&words, "--");
        }
        add_execfile(&words, request->execfile);
        r = add_arguments(&words, request, SPLIT_DROP_BACKSLASH);
        if (r < 0)
                return r;
        if (plan->debugged)
                append_time(&time, &request->limits);
        if (text_failed(&time))
                return -ENOMEM;
        r = add_step(plan, request, &words, true, plan->debugged ? text_string(&time) : NULL);
        plan->steps[plan->n_steps - 1].notes = plan->debugged;
        return r;
}

/* What a compiler starts is started without it where that is kept; without pbotvm-gdb the compiler is. */
static int hasten_compiler(Step *step) {
        _cleanup_words_ Words words = {};

        words_add_string(&words, "pbotvm-gdb");
        words_add_string(&words, "--direct");
        words_add_string(&words, "--");
        words_add_strings(&words, step->argv);
        step->direct = words_steal(&words);
        return step->direct ? 0 : -ENOMEM;
}

static int plan_compiled(Plan *plan, const Request *request, bool debugged) {
        _cleanup_words_ Words words = {};
        char **command;
        int r;

        plan->compiles = plan->run_after_success = true;
        /* It hides what the host has put around the code, finds a compiler without its version, and has made
         * ahead what compilers need. */
        if (debugged) {
                words_add_string(&words, "pbotvm-gdb");
                words_add_string(&words, "--compile");
                words_add_string(&words, "--source");
                words_add_string(&words, request->sourcefile);
                words_add_string(&words, "--");
        }
        r = words_split(request->cmdline ? request->cmdline : "", SPLIT_DROP_BACKSLASH, &words);
        if (r < 0)
                return r;
        if (isempty(request->cmdline))
                words_add_string(&words, "true");
        if (debugged)
                macros_hide(&plan->source, &words);
        /* Without it clang leaves the types of the library, std::string say, to the library's own symbols.
         */
        if (debugged && startswith(request->cmdline ? request->cmdline : "", "clang++"))
                words_add_string(&words, "-fstandalone-debug");
        r = add_step(plan, request, &words, false, NULL);
        if (r >= 0 && !debugged)
                r = hasten_compiler(&plan->steps[0]);
        if (r < 0)
                return r;
        command = plan->steps[0].argv;
        for (size_t i = 0; i < ELEMENTSOF(stop_options); i++)
                if (has_option(command, stop_options[i].option))
                        return stop_options[i].show && strings_contain(command, "-o")
                                       ? add_show_step(plan, request, stop_options[i].show)
                                       : 0;
        plan->sanitized = debugged && sanitizer_forbids_debugger(command);
        plan->debugged = debugged && !plan->sanitized;
        return add_program_step(plan, request);
}

static int plan_tendra(Plan *plan, const Request *request) {
        _cleanup_words_ Words words = {};
        int r;

        plan->compiles = plan->run_after_success = plan->status_of_compiler = true;
        r = add_shell_step(plan, request, false);
        if (r < 0)
                return r;
        add_execfile(&words, request->execfile);
        r = add_arguments(&words, request, SPLIT_KEEP_BACKSLASH);
        if (r < 0)
                return r;
        return add_step(plan, request, &words, true, NULL);
}

/* PBot shows of a Java program what comes up to the line that reaches this. */
#define JAVA_SHOWN_BYTES 20480

/* A short run gains nothing from the second compiler or from parallel collectors. javac's own classes come
 * from an archive that pbotvm-precompile makes; where there is none, or one of another Java, it is silently
 * not used. */
static const char *const java_options[] = { "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC" };
static const char *const javac_options[] = { "-J-Xshare:auto",
        "-J-XX:SharedArchiveFile=/var/cache/pbotvm-guest/javac.jsa", "-J-Xlog:disable",
        "-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC" };

/* A command that needs no shell gets them; what somebody wrote for a shell stays as it is. */
static int hasten_javac(Step *step) {
        _cleanup_words_ Words words = {};
        char **faster;

        if (!step->direct || !streq(step->direct[0], "javac"))
                return 0;
        words_add_string(&words, step->direct[0]);
        for (size_t i = 0; i < ELEMENTSOF(javac_options); i++)
                words_add_string(&words, javac_options[i]);
        words_add_strings(&words, step->direct + 1);
        faster = words_steal(&words);
        if (!faster)
                return -ENOMEM;
        strings_free(step->direct);
        step->direct = faster;
        return 0;
}

static int plan_java(Plan *plan, const Request *request) {
        _cleanup_words_ Words words = {};
        int r;

        plan->compiles = plan->run_after_success = plan->status_of_compiler = plan->trimmed = true;
        plan->shown_bytes = JAVA_SHOWN_BYTES;
        r = add_shell_step(plan, request, false);
        if (r >= 0)
                r = hasten_javac(&plan->steps[plan->n_steps - 1]);
        if (r < 0)
                return r;
        words_add_string(&words, "java");
        for (size_t i = 0; i < ELEMENTSOF(java_options); i++)
                words_add_string(&words, java_options[i]);
        words_add_string(&words, request->execfile);
        r = add_arguments(&words, request, SPLIT_KEEP_BACKSLASH);
        if (r < 0)
                return r;
        return add_step(plan, request, &words, true, NULL);
}

/* Go's library is taken as pbotvm-precompile has it compiled, where the distribution ships sources alone
 * (since Go 1.20): without it each job compiles 54 packages first. An older Go does not know the word, and
 * has the library. */
#define ENV_GO "GODEBUG=installgoroot=all"

/* "go run" compiles, links and runs in one: taken apart, the compiler and the linker may write more than the
 * program. What it leaves out for a program that is only run is left out here too. */
static int plan_go(Plan *plan, const Request *request) {
        _cleanup_words_ Words command = {}, words = {}, program = {};
        size_t run = 0;
        int r = words_split(request->cmdline ? request->cmdline : "", SPLIT_DROP_BACKSLASH, &command);

        if (r < 0)
                return r;
        while (run < command.n && !streq(command.items[run], "run"))
                run++;
        if (run == command.n)
                return add_shell_step(plan, request, true);

        plan->compiles = plan->run_after_success = plan->status_of_compiler = true;
        for (size_t i = 0; i < command.n; i++) {
                words_add_string(&words, i == run ? "build" : command.items[i]);
                if (i == run) {
                        words_add_string(&words, "-ldflags=-s -w");
                        words_add_string(&words, "-o");
                        words_add_string(&words, request->execfile);
                }
        }
        r = add_step(plan, request, &words, false, ENV_GO);
        if (r >= 0)
                r = hasten_compiler(&plan->steps[0]);
        if (r < 0)
                return r;
        add_execfile(&program, request->execfile);
        r = add_arguments(&program, request, SPLIT_KEEP_BACKSLASH);
        return r < 0 ? r : add_step(plan, request, &program, true, NULL);
}

static void plan_files(Plan *plan, const Request *request) {
        text_append_text(&plan->source, &request->code);
        text_append_char(&plan->source, '\n');
        text_append_text(&plan->input, &request->input);
        /* As in PBot's here-string. A program without input reads the end of file at once. */
        if (request->input.size > 0)
                text_append_char(&plan->input, '\n');
}

static int check_request(const Request *request, Runner runner, Text *error) {
        int r = check_name("source", request->sourcefile, error);

        if (r < 0 || runner == RUNNER_SHELL)
                return r;
        return check_name("program", request->execfile, error);
}

static int plan_steps(Plan *plan, const Request *request, Runner runner) {
        switch (runner) {
        case RUNNER_DEBUGGED:
                return plan_compiled(plan, request, true);
        case RUNNER_COMPILED:
                return plan_compiled(plan, request, false);
        case RUNNER_TENDRA:
                return plan_tendra(plan, request);
        case RUNNER_JAVA:
                return plan_java(plan, request);
        case RUNNER_GO:
                return plan_go(plan, request);
        default:
                return add_shell_step(plan, request, true);
        }
}

int plan_make(const Request *request, Plan **ret, Text *error) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        Runner runner = find_runner(request->lang);
        int r;

        r = check_request(request, runner, error);
        if (r < 0)
                return r;
        plan = calloc(1, sizeof(Plan));
        if (!plan)
                return -ENOMEM;
        plan_files(plan, request);
        r = plan_steps(plan, request, runner);
        if (r < 0)
                return r;
        if (text_failed(&plan->source) || text_failed(&plan->input))
                return -ENOMEM;
        *ret = TAKE_PTR(plan);
        return 0;
}

bool plan_goes_on(const Plan *plan, const StepOutcome *first) {
        return plan->n_steps > 1 && first->ended && first->start_errno == 0 &&
               (!plan->run_after_success || (WIFEXITED(first->status) && WEXITSTATUS(first->status) == 0));
}
