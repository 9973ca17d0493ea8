/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the pipeline itself costs: from a line to the request, and from the result to the answer. Each
 * request has a process of its own, so it is measured in one, next to what starting one costs. The formatter
 * is left out (the linker sends its calls here).
 *
 * usage: pipeline [ROUNDS]; exit status 1 when a median is over its limit. */

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "common/log.h"
#include "language/snippet.h"
#include "pipeline/pipeline.h"

int __wrap_formatter_open(Formatter **ret);
int __wrap_formatter_open(Formatter **ret) {
        *ret = NULL;
        return 0;
}

typedef struct Workload {
        const char *name;
        const char *line;
        const char *result;
        double limit_ms;
} Workload;

static const Workload workloads[] = {
        { "sh", "{\"nick\":\"joe\",\"channel\":\"#c\",\"lang\":\"sh\",\"code\":\"echo hello\"}", "hello\n",
                0.3 },
        { "c", "{\"nick\":\"joe\",\"channel\":\"#c\",\"code\":\"int x = 3; x * 2\"}",
                "no output: x * 2 = 6\n", 2 },
        { "c-warning",
                "{\"nick\":\"joe\",\"channel\":\"#c\",\"lang\":\"c11\",\"code\":\"int x = 3; x * 2\"}",
                "prog.c: In function \xe2\x80\x98main\xe2\x80\x99:\nprog.c:38:5: warning: unused variable "
                "\xe2\x80\x98x\xe2\x80\x99 [-Wunused-variable]\n6\n",
                2 },
};

static double now_ms(void) {
        struct timespec now;
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int serve(const Workload *workload, const Config *config, const char *state_dir) {
        static const char *const languages[] = { SOURCE_DIR "/src/language/data", NULL };
        _cleanup_query_ Query query = {};
        _cleanup_(pipeline_freep) Pipeline *pipeline = NULL;
        _cleanup_request_ Request request = REQUEST_INIT;
        _cleanup_text_ Text answer = {};

        int r = query_parse(workload->line, strlen(workload->line), config, &query, &answer);
        if (r >= 0)
                r = pipeline_open(config, &query, languages, SOURCE_DIR "/src/language/rewrites", state_dir,
                        &pipeline, &answer);
        if (r == PIPELINE_RUN)
                r = pipeline_prepare(pipeline, 1, &request, &answer);
        if (r == PIPELINE_RUN)
                r = pipeline_finish(pipeline, workload->result, strlen(workload->result), NULL, &answer);
        return r == PIPELINE_ANSWER && answer.size > 1 ? 0 : -EIO;
}

/* In the child: one request, its time as the only output. */
static int run_once(size_t i, const char *state_dir) {
        _cleanup_(config_freep) Config *config = NULL;
        if (config_load("/nonexistent", NULL, &config, NULL) < 0)
                return EXIT_FAILURE;

        double start = now_ms();
        int r = serve(&workloads[i], config, state_dir);
        printf("%.4f\n", now_ms() - start);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Starts a program: how long it took, and what it printed. */
static double start_program(char *const *arguments, double *ret_printed) {
        extern char **environ;
        int fds[2], status;
        pid_t pid;
        posix_spawn_file_actions_t actions;
        char output[32] = "";

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -1;
        (void)posix_spawn_file_actions_init(&actions);
        (void)posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
        double start = now_ms();
        int r = posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
        fd_close(fds[1]);
        ssize_t n = r == 0 ? read(fds[0], output, sizeof(output) - 1) : -1;
        fd_close(fds[0]);
        if (r != 0 || waitpid(pid, &status, 0) < 0 || status != 0)
                return -1;
        *ret_printed = n > 0 ? strtod(output, NULL) : 0;
        return now_ms() - start;
}

static int compare(const void *a, const void *b) {
        double x = *(const double *)a, y = *(const double *)b;
        return (x > y) - (x < y);
}

static double median(double *values, size_t n) {
        qsort(values, n, sizeof(*values), compare);
        return values[n / 2];
}

/* The median of what the program prints, or of how long it takes. -1: it failed. */
static double measure(char *const *arguments, size_t rounds, bool printed) {
        _cleanup_free_ double *values = calloc(rounds, sizeof(*values));
        for (size_t i = 0; values && i < rounds; i++) {
                double p, t = start_program(arguments, &p);
                if (t < 0)
                        return -1;
                values[i] = printed ? p : t;
        }
        return values ? median(values, rounds) : -1;
}

static void remove_folder(const char *path) {
        DIR *dir = opendir(path);
        struct dirent *entry;
        while (dir && (entry = readdir(dir)))
                (void)unlinkat(dirfd(dir), entry->d_name, 0);
        if (dir)
                (void)closedir(dir);
        (void)rmdir(path);
}

int main(int argc, char **argv) {
        char state_dir[] = "/tmp/bench.XXXXXX";
        size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 101;
        bool failed = false;

        log_setup("bench");
        if (argc == 4 && streq(argv[1], "--once"))
                return run_once(strtoul(argv[2], NULL, 10), argv[3]);
        if (rounds == 0 || !mkdtemp(state_dir)) {
                log_error("usage: pipeline [ROUNDS]");
                return EXIT_FAILURE;
        }

        char *nothing[] = { (char *)"/bin/true", NULL };
        double start_up = measure(nothing, rounds, false);
        printf("start-up of a process that does nothing: %.3f ms\n", start_up);
        for (size_t i = 0; i < ELEMENTSOF(workloads); i++) {
                char number[8];
                char *once[] = { argv[0], (char *)"--once", number, state_dir, NULL };
                (void)snprintf(number, sizeof(number), "%zu", i);
                double ms = measure(once, rounds, true);
                /* The limits are for a machine that starts a process in a millisecond; a busy one takes
                 * longer for all. */
                bool over = ms < 0 || ms > workloads[i].limit_ms * MAX(1.0, start_up);
                printf("%-10s %.3f ms of %.1f, %.2f start-ups%s\n", workloads[i].name, ms,
                        workloads[i].limit_ms, ms / start_up, over ? ": TOO LONG" : "");
                failed |= over;
        }
        remove_folder(state_dir);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
