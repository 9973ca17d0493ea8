/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/session.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "common/io.h"

/* A line of gdb that is longer is of no use to anybody. */
#define LINE_MAX_SIZE ((size_t)4 << 20)

/* Names the descriptors that wait for the program: standard input, output, error, arguments. */
#define ENV_LAUNCH "PBOTVM_GDB_LAUNCH"

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

void session_done(Session *session) {
        session->to_gdb = fd_close(session->to_gdb);
        session->from_gdb = fd_close(session->from_gdb);
        session->program_out = fd_close(session->program_out);
        if (session->gdb > 0) {
                (void)kill(session->gdb, SIGKILL);
                (void)waitpid(session->gdb, NULL, 0);
        }
        mi_record_free(session->stop);
        text_done(&session->line);
        text_done(&session->console);
        *session = (Session){ .to_gdb = -EBADF, .from_gdb = -EBADF, .program_out = -EBADF };
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

int session_become_program(void) {
        _cleanup_text_ Text content = {};
        const char *launch = getenv(ENV_LAUNCH);
        int in, out, err, list;
        char **arguments;

        if (!launch || sscanf(launch, "%i,%i,%i,%i", &in, &out, &err, &list) != 4)
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
        (void)close_range(STDERR_FILENO + 1, ~0U, 0);
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

static _noreturn_ void run_gdb(int in, int out, int program_out, int list, char **argv) {
        _cleanup_text_ Text path = {};
        const char *program;
        char launch[64], self[4096];
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC), program_in, program_err;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (n < 0 || null < 0)
                _exit(127);
        self[n] = '\0';
        /* Above the descriptors that gdb takes, and open across both execs. */
        program_in = fcntl(STDIN_FILENO, F_DUPFD, 10);
        program_err = fcntl(STDERR_FILENO, F_DUPFD, 10);
        program_out = fcntl(program_out, F_DUPFD, 10);
        list = fcntl(list, F_DUPFD, 10);
        if (program_in < 0)
                program_in = open("/dev/null", O_RDONLY);
        (void)snprintf(launch, sizeof(launch), "%i,%i,%i,%i", program_in, program_out, program_err, list);
        program = find_program(argv[0], &path);
        if (setenv(ENV_LAUNCH, launch, true) < 0 || set_environment(self) < 0)
                _exit(127);
        if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
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

int session_start(Session *session, char **arguments, bool printers) {
        _cleanup_close_ int list = arguments_file(arguments);
        _cleanup_free_ char **argv = gdb_arguments(arguments[0], printers);
        int in[2], out[2], program[2];

        *session = (Session){ .to_gdb = -EBADF, .from_gdb = -EBADF, .program_out = -EBADF };
        if (list < 0 || !argv)
                return list < 0 ? list : -ENOMEM;
        if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(program, O_CLOEXEC) < 0)
                return -errno;
        (void)signal(SIGPIPE, SIG_IGN);
        session->gdb = fork();
        if (session->gdb < 0)
                return -errno;
        if (session->gdb == 0) {
                (void)signal(SIGPIPE, SIG_DFL);
                run_gdb(in[0], out[1], program[1], list, argv);
        }
        close(in[0]);
        close(out[1]);
        close(program[1]);
        session->to_gdb = in[1];
        session->from_gdb = out[0];
        session->program_out = program[0];
        return fd_set_nonblocking(session->program_out, true);
}

static void write_out(Session *session, const char *data, size_t size) {
        if (size == 0)
                return;
        session->printed = true;
        /* Nobody reads any more: the job is over, or will be. */
        (void)io_write(STDOUT_FILENO, data, size, USEC_INFINITY);
}

/* One read of the program's output. 1: there may be more, 0: nothing now, -EPIPE: its end. */
static int pump(Session *session) {
        char buffer[65536];
        ssize_t n;

        if (session->program_out < 0)
                return -EPIPE;
        n = read(session->program_out, buffer, sizeof(buffer));
        if (n > 0) {
                write_out(session, buffer, (size_t)n);
                return 1;
        }
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        session->program_out = fd_close(session->program_out);
        return -EPIPE;
}

void session_drain(Session *session) {
        while (pump(session) > 0)
                ;
}

void session_drain_all(Session *session) {
        struct pollfd fd = { .fd = session->program_out, .events = POLLIN };

        session->to_gdb = fd_close(session->to_gdb);
        while (session->program_out >= 0) {
                if (poll(&fd, 1, -1) < 0 && errno != EINTR)
                        return;
                if (pump(session) == -EPIPE)
                        return;
        }
}

void session_print(Session *session, const Text *text) {
        session_drain(session);
        write_out(session, text->data, text->size);
}

/* Waits for bytes of gdb, handing the program's on meanwhile, and appends them to the line. */
static int receive(Session *session) {
        char buffer[65536];

        for (;;) {
                struct pollfd fds[2] = { { session->from_gdb, POLLIN, 0 },
                        { session->program_out, POLLIN, 0 } };
                ssize_t n;

                if (session->from_gdb < 0)
                        return -EPIPE;
                if (poll(fds, 2, -1) < 0 && errno != EINTR)
                        return -errno;
                if (fds[1].revents)
                        (void)pump(session);
                if (!fds[0].revents)
                        continue;
                n = read(session->from_gdb, buffer, sizeof(buffer));
                if (n <= 0) {
                        session->from_gdb = fd_close(session->from_gdb);
                        return -EPIPE;
                }
                /* It writes character by character: let it get on. */
                if (n < 16 && buffer[n - 1] != '\n')
                        (void)nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
                if (session->line.size + (size_t)n > LINE_MAX_SIZE)
                        text_clear(&session->line);
                text_append(&session->line, buffer, (size_t)n);
                return text_error(&session->line);
        }
}

/* Keeps what concerns the session; the rest is the caller's. */
static void note_record(Session *session, MiRecord **record) {
        MiRecord *r = *record;

        if (r->kind == MI_CONSOLE || r->kind == MI_TARGET)
                text_append_text(&session->console, &r->stream);
        if (r->kind == MI_NOTIFY && streq_ptr(r->class, "thread-group-started") &&
                mi_text(&r->results, "pid"))
                session->program = (pid_t)strtol(mi_text(&r->results, "pid"), NULL, 10);
        if (r->kind == MI_EXEC && streq_ptr(r->class, "running"))
                session->running = true;
        if (r->kind == MI_EXEC && streq_ptr(r->class, "stopped")) {
                session->running = false;
                mi_record_free(session->stop);
                session->stop = TAKE_PTR(*record);
        }
}

/* The next record that is understood; *ret may be NULL if it was one that the session keeps. */
static int next_record(Session *session, MiRecord **ret) {
        for (;;) {
                _cleanup_mi_record_ MiRecord *record = NULL;
                const char *newline = memchr(text_string(&session->line), '\n', session->line.size);
                int r;

                if (!newline) {
                        r = receive(session);
                        if (r < 0)
                                return r;
                        continue;
                }
                r = mi_parse(session->line.data, (size_t)(newline - session->line.data), &record);
                text_consume(&session->line, (size_t)(newline - session->line.data) + 1);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        continue;
                note_record(session, &record);
                *ret = TAKE_PTR(record);
                return 0;
        }
}

static int send_command(Session *session, const Text *command) {
        _cleanup_text_ Text line = {};

        text_append_printf(&line, "%u", ++session->token);
        text_append_text(&line, command);
        text_append_char(&line, '\n');
        if (text_failed(command) || text_failed(&line))
                return -ENOMEM;
        text_clear(&session->console);
        return io_write(session->to_gdb, line.data, line.size, USEC_INFINITY) < 0 ? -EPIPE : 0;
}

static int wait_answer(Session *session, MiRecord **ret) {
        for (;;) {
                _cleanup_mi_record_ MiRecord *record = NULL;
                int r = next_record(session, &record);

                if (r < 0)
                        return r;
                if (!record || record->kind != MI_RESULT || record->token != session->token)
                        continue;
                r = !streq_ptr(record->class, "error");
                if (streq_ptr(record->class, "running"))
                        session->running = true;
                if (ret)
                        *ret = TAKE_PTR(record);
                return r;
        }
}

int session_command(Session *session, MiRecord **ret, const char *format, ...) {
        _cleanup_text_ Text command = {};
        va_list ap;
        int r;

        va_start(ap, format);
        text_append_vprintf(&command, format, ap);
        va_end(ap);
        r = send_command(session, &command);
        return r < 0 ? r : wait_answer(session, ret);
}

int session_console(Session *session, MiRecord **ret, const char *command) {
        _cleanup_text_ Text quoted = {};
        int r;

        text_append_string(&quoted, "-interpreter-exec console \"");
        for (const char *p = command; *p; p++) {
                if (*p == '"' || *p == '\\')
                        text_append_char(&quoted, '\\');
                text_append_char(&quoted, *p == '\n' ? ' ' : *p);
        }
        text_append_char(&quoted, '"');
        r = send_command(session, &quoted);
        return r < 0 ? r : wait_answer(session, ret);
}

int session_load_symbols(Session *session) {
        static const char *const commands[] = { "set debug-file-directory /usr/lib/debug", "nosharedlibrary",
                "sharedlibrary" };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(commands) && r >= 0 && !session->symbols; i++)
                r = session_console(session, NULL, commands[i]);
        session->symbols = true;
        return MIN(r, 0);
}

const char *session_error(const MiRecord *record) {
        const char *message = record ? mi_text(&record->results, "msg") : NULL;

        return message ? message : "";
}

int session_wait(Session *session, MiRecord **ret) {
        while (!session->stop) {
                _cleanup_mi_record_ MiRecord *record = NULL;
                int r = next_record(session, &record);

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(session->stop);
        return 0;
}
