/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/launch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "common/io.h"

/* Where prelude.h finds the pipe for sanitizers' reports, far above what a program gets by counting on. */
#define REPORTS_FD 250

/* Environment that is another for gdb: without PATH it does not run iconv for a list of character sets at
 * every start. What the program shall see is kept. */
static const struct {
        const char *name, *kept, *value;
} gdb_environment[] = {
        { "PATH", "PBOTVM_GDB_PATH", "/nonexistent" },
        { "SHELL", "PBOTVM_GDB_SHELL", NULL },
        { "LC_ALL", "PBOTVM_GDB_LC_ALL", "C.UTF-8" },
};

static int set_environment(const char *self) {
        for (size_t i = 0; i < ELEMENTSOF(gdb_environment); i++) {
                const char *old = getenv(gdb_environment[i].name);
                const char *value = gdb_environment[i].value ? gdb_environment[i].value : self;

                if (old && setenv(gdb_environment[i].kept, old, true) < 0)
                        return -errno;
                if (setenv(gdb_environment[i].name, value, true) < 0)
                        return -errno;
        }
        return 0;
}

static void restore_environment(void) {
        for (size_t i = 0; i < ELEMENTSOF(gdb_environment); i++) {
                const char *old = getenv(gdb_environment[i].kept);

                if (old)
                        (void)setenv(gdb_environment[i].name, old, true);
                else
                        (void)unsetenv(gdb_environment[i].name);
                (void)unsetenv(gdb_environment[i].kept);
        }
}

/* A file without a name that holds the arguments, each with a NUL behind. */
static int arguments_file(char **arguments) {
        _cleanup_close_ int fd = memfd_create("arguments", 0);
        _cleanup_text_ Text content = {};

        for (char **a = arguments; *a; a++)
                text_append(&content, *a, strlen(*a) + 1);
        if (text_failed(&content))
                return -ENOMEM;
        if (fd < 0 || io_write(fd, content.data, content.size, USEC_INFINITY) < 0)
                return -EIO;
        return TAKE_FD(fd);
}

static char **read_arguments(int fd, Text *content) {
        char buffer[65536], **arguments;
        ssize_t n;
        size_t count = 0, i = 0;

        if (lseek(fd, 0, SEEK_SET) < 0)
                return NULL;
        while ((n = read(fd, buffer, sizeof(buffer))) > 0)
                text_append(content, buffer, (size_t)n);
        if (n < 0 || text_failed(content) || content->size == 0)
                return NULL;
        for (size_t k = 0; k < content->size; k++)
                count += !content->data[k];
        arguments = calloc(count + 1, sizeof(char *));
        for (char *p = content->data; arguments && i < count; p += strlen(p) + 1)
                arguments[i++] = p;
        return arguments;
}

int launch_become_program(void) {
        _cleanup_text_ Text content = {};
        const char *launch = getenv(ENV_LAUNCH);
        int in, out, err, list, reports;
        char **arguments;

        if (!launch || sscanf(launch, "%i,%i,%i,%i,%i", &in, &out, &err, &list, &reports) != 5)
                return -EINVAL;
        arguments = read_arguments(list, &content);
        if (!arguments)
                return -EINVAL;
        /* What gdb and we added for ourselves. */
        restore_environment();
        (void)unsetenv(ENV_LAUNCH);
        /* The sanitizers' own handlers would hide a signal from the debugger. */
        (void)setenv("UBSAN_OPTIONS",
                "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigtrap=0:handle_"
                "sigfpe=0",
                false);
        (void)unsetenv("LINES");
        (void)unsetenv("COLUMNS");
        if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
                return -errno;
        (void)dup2(reports, REPORTS_FD);
        (void)close_range(STDERR_FILENO + 1, REPORTS_FD - 1, 0);
        (void)close_range(REPORTS_FD + 1, ~0U, 0);
        execv(arguments[0], arguments);
        return -errno;
}

/* Where the program lies that execvp() would find: its PATH is changed before. */
static const char *find_program(const char *name, Text *path) {
        const char *list = getenv("PATH");

        for (const char *p = list ? list : "/usr/bin:/bin"; *p; p += *p == ':') {
                size_t n = strcspn(p, ":");

                text_clear(path);
                text_append(path, p, n);
                text_append_char(path, '/');
                text_append_string(path, name);
                if (access(text_string(path), X_OK) == 0)
                        return text_string(path);
                p += n;
        }
        return name;
}

/* The ends that gdb and the program get. */
typedef struct ChildEnds {
        int in, out, program_out, program_err, reports, list;
} ChildEnds;

static _noreturn_ void run_gdb(const ChildEnds *ends, char **argv) {
        _cleanup_text_ Text path = {};
        const char *program;
        char launch[64], self[4096];
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC), program_in;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (n < 0 || null < 0)
                _exit(127);
        self[n] = '\0';
        /* Above the descriptors that gdb takes, and open across both execs. */
        program_in = fcntl(STDIN_FILENO, F_DUPFD, 10);
        if (program_in < 0)
                program_in = open("/dev/null", O_RDONLY);
        (void)snprintf(launch, sizeof(launch), "%i,%i,%i,%i,%i", program_in,
                fcntl(ends->program_out, F_DUPFD, 10), fcntl(ends->program_err, F_DUPFD, 10),
                fcntl(ends->list, F_DUPFD, 10), fcntl(ends->reports, F_DUPFD, 10));
        program = find_program(argv[0], &path);
        if (setenv(ENV_LAUNCH, launch, true) < 0 || set_environment(self) < 0)
                _exit(127);
        if (dup2(ends->in, STDIN_FILENO) < 0 || dup2(ends->out, STDOUT_FILENO) < 0 ||
                dup2(null, STDERR_FILENO) < 0)
                _exit(127);
        execv(program, argv);
        _exit(127);
}

/* What makes it start fast: no files of the user, no symbols of libraries (those of libc, which it reads in
 * any case, not from libc6-dbg, where they are compressed: two thirds of the time), no threads.
 * session_load_symbols() makes up for it. Early commands are not echoed, character by character, as later
 * ones are. */
/* clang-format off */
static const char *const options[] = {
        "gdb", "-nx", "-q", "-i=mi3",
        "-eiex", "set debuginfod enabled off",
        "-eiex", "set debug-file-directory /nonexistent",
        "-eiex", "maint set worker-threads 0",
        "-eiex", "set print null-stop on",
        /* Nobody is there whom it could ask. */
        "-eiex", "set breakpoint pending off",
        /* What is printed is bounded by "print elements"; what gdb takes for it, here. */
        "-eiex", "set max-value-size 16777216",
        "-eiex", "set unwindonsignal on",
};

/* gdb's own scripts are half of its start, and C has no use for them. */
static const char *const no_scripts[] = {
        "--data-directory=/nonexistent",
        "-eiex", "set auto-solib-add off",
};
/* clang-format on */

static char **gdb_arguments(const char *program, bool printers) {
        char **argv = calloc(ELEMENTSOF(options) + ELEMENTSOF(no_scripts) + 2, sizeof(char *));
        size_t n = 0;

        for (size_t i = 0; argv && i < ELEMENTSOF(options); i++)
                argv[n++] = (char *)options[i];
        for (size_t i = 0; argv && !printers && i < ELEMENTSOF(no_scripts); i++)
                argv[n++] = (char *)no_scripts[i];
        if (argv)
                argv[n] = (char *)program;
        return argv;
}

int launch_gdb(char **arguments, bool printers, Launch *ret) {
        _cleanup_close_ int list = arguments_file(arguments);
        _cleanup_free_ char **argv = gdb_arguments(arguments[0], printers);
        int pipes[5][2];
        pid_t pid;

        if (list < 0 || !argv)
                return list < 0 ? list : -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(pipes); i++)
                if (pipe2(pipes[i], O_CLOEXEC) < 0)
                        return -errno;
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                run_gdb(&(ChildEnds){ pipes[0][0], pipes[1][1], pipes[2][1], pipes[3][1], pipes[4][1],
                                list },
                        argv);
        close(pipes[0][0]);
        for (size_t i = 1; i < ELEMENTSOF(pipes); i++)
                close(pipes[i][1]);
        *ret = (Launch){ pid, pipes[0][1], pipes[1][0], pipes[2][0], pipes[3][0], pipes[4][0] };
        return 0;
}
