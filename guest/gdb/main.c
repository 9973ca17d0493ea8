/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pbotvm-gdb: compiles a program, of C or C++ above all, or runs one under gdb and tells what happened. */
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/io.h"
#include "gdb/ahead-list.h"
#include "gdb/compile.h"
#include "gdb/debugger.h"
#include "gdb/direct.h"
#include "gdb/launch.h"
#include "gdb/signals.h"
#include "paths.h"

/* How long a job may take, in usec; of the plan. */
#define ENV_TIME "PBOTVM_TIME_USEC"

static const char *arg_source = NULL;
static const char *arg_ahead = NULL;
static const char *arg_keep = NULL;
static bool arg_compile = false;
static bool arg_direct = false;

static void help(void) {
        puts("Usage: pbotvm-gdb [--source FILE] [--] PROGRAM [ARGUMENT...]\n"
             "       pbotvm-gdb --compile --source FILE -- COMPILER [ARGUMENT...]\n"
             "       pbotvm-gdb --direct -- COMPILER [ARGUMENT...]\n"
             "       pbotvm-gdb --ahead LIST\n"
             "       pbotvm-gdb --keep FILE\n"
             "\n"
             "Runs a program of C or C++ under gdb and tells what happened: signals with\n"
             "statement, callers and variables, the value of the last expression, and what\n"
             "the macros of prelude.h ask for. With --compile it runs the compiler, whose\n"
             "diagnostics are then those of the snippet as it was typed.\n"
             "\n"
             "  -s, --source FILE  the program's source, to quote from\n"
             "  -c, --compile      compile\n"
             "  -d, --direct       compile by what is kept of this very command, or by it\n"
             "  -a, --ahead LIST   compile ahead what compilers need again and again\n"
             "  -k, --keep FILE    keep what a command starts\n"
             "  -h, --help         this text\n"
             "      --version      the version");
}

/* 1: go on, 0: done, or a negative errno. */
static int parse_arguments(int argc, char **argv) {
        static const struct option options[] = {
                { "source", required_argument, NULL, 's' },
                { "compile", no_argument, NULL, 'c' },
                { "direct", no_argument, NULL, 'd' },
                { "ahead", required_argument, NULL, 'a' },
                { "keep", required_argument, NULL, 'k' },
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'v' },
                {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "+s:cda:k:h", options, NULL)) >= 0)
                switch (c) {
                case 's':
                        arg_source = optarg;
                        break;
                case 'c':
                        arg_compile = true;
                        break;
                case 'd':
                        arg_direct = true;
                        break;
                case 'a':
                        arg_ahead = optarg;
                        return 1;
                case 'k':
                        arg_keep = optarg;
                        return 1;
                case 'h':
                        help();
                        return 0;
                case 'v':
                        puts("pbotvm-gdb " PBOTVM_VERSION);
                        return 0;
                default:
                        return -EINVAL;
                }
        if (optind >= argc || (arg_compile && !arg_source)) {
                (void)fprintf(stderr, "pbotvm-gdb: %s\n",
                        optind >= argc ? "a program is missing" : "--compile needs --source");
                return -EINVAL;
        }
        return 1;
}

/* Ends as the program did, so that who waits for us sees it. */
static int end_as(const Ending *ending) {
        /* Of a program that stops, nobody would let us go on either: it was told, and is ended. */
        if (signal_action(ending->signal) == SIGNAL_STOPS)
                return 0;
        if (ending->signal > 0) {
                /* 0 would not hold back a core_pattern that is a pipe. */
                (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 1, 1 });
                (void)signal(ending->signal, SIG_DFL);
                (void)raise(ending->signal);
                return 128 + ending->signal;
        }
        return ending->status;
}

/* The job may take ENV_TIME since its source was written: then there is still an answer within the agent's
 * limits. */
static uint64_t find_deadline(void) {
        const char *value = getenv(ENV_TIME);
        uint64_t limit = value ? strtoull(value, NULL, 10) : 0, now = now_realtime(), start = now;
        struct stat st;

        (void)unsetenv(ENV_TIME);
        if (limit == 0)
                return USEC_INFINITY;
        if (arg_source && stat(arg_source, &st) == 0)
                start = (uint64_t)st.st_mtim.tv_sec * USEC_PER_SEC +
                        (uint64_t)st.st_mtim.tv_nsec / NSEC_PER_USEC;
        /* A clock that was set meanwhile tells nothing. */
        if (start > now || now - start > limit)
                start = now;
        return usec_add(now_monotonic(), limit - (now - start));
}

static int run_program(char **arguments) {
        _cleanup_source_ Source source = {};
        _cleanup_free_ char *path = realpath(arguments[0], NULL);
        Ending ending;
        int r;

        if (!path) {
                (void)fprintf(stderr, "pbotvm-gdb: %s: %s\n", arguments[0], strerror(errno));
                return 127;
        }
        if (arg_source)
                (void)source_load(arg_source, &source);
        arguments[0] = path;
        r = debugger_run(arguments, &source, find_deadline(), &ending);
        if (!ending.started) {
                /* Without a debugger that works the program's own output is still worth having. */
                (void)execv(path, arguments);
                (void)fprintf(stderr, "pbotvm-gdb: %s: %s\n", path, strerror(errno));
                return 126;
        }
        if (r < 0) {
                (void)fprintf(stderr, "pbotvm-gdb: %s\n",
                        r == -EPIPE ? "the debugger ended before the program did" : strerror(-r));
                return 1;
        }
        return end_as(&ending);
}

static int compile(char **command) {
        int r = arg_direct ? direct_run(command) : compile_run(arg_source, command);

        if (r == -ENOENT)
                (void)fprintf(stderr, "Command '%s' not found.\n", command[0]);
        else if (r < 0)
                (void)fprintf(stderr, "Command '%s' could not be started: %s.\n", command[0], strerror(-r));
        return r < 0 ? 127 : r;
}

static int make_ahead(void) {
        int r = ahead_make_list(arg_ahead);

        if (r < 0)
                (void)fprintf(stderr, "pbotvm-gdb: %s: %s\n", arg_ahead, strerror(-r));
        return r < 0;
}

static int keep(void) {
        int r = direct_keep(arg_keep);

        if (r < 0)
                (void)fprintf(stderr, "pbotvm-gdb: %s: %s\n", arg_keep,
                        r == -ENOTSUP ? "its steps do not make a program" : strerror(-r));
        return r < 0;
}

int main(int argc, char **argv) {
        int r;

        /* gdb starts its program through a shell, and takes us for one. */
        if (argc == 3 && streq(argv[1], "-c") && getenv(ENV_LAUNCH)) {
                r = launch_become_program();
                (void)fprintf(stderr, "pbotvm-gdb: cannot start the program: %s\n", strerror(-r));
                return 127;
        }
        r = parse_arguments(argc, argv);
        if (r <= 0)
                return r < 0 ? 2 : 0;
        if (arg_ahead)
                return make_ahead();
        if (arg_keep)
                return keep();
        return arg_compile || arg_direct ? compile(argv + optind) : run_program(argv + optind);
}
