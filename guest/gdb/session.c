/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/session.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "common/io.h"
#include "gdb/launch.h"

/* A line of gdb that is longer is of no use to anybody. */
#define LINE_MAX_SIZE ((size_t)4 << 20)

#define SESSION_INIT                                                                                        \
        ((Session){ .to_gdb = -EBADF,                                                                       \
                .from_gdb = -EBADF,                                                                         \
                .pipes = { -EBADF, -EBADF, -EBADF },                                                        \
                .notes = { .fd = -EBADF } })

void session_done(Session *session) {
        session->to_gdb = fd_close(session->to_gdb);
        session->from_gdb = fd_close(session->from_gdb);
        for (size_t i = 0; i < ELEMENTSOF(session->pipes); i++)
                session->pipes[i] = fd_close(session->pipes[i]);
        session->notes.fd = fd_close(session->notes.fd);
        if (session->gdb > 0) {
                (void)kill(session->gdb, SIGKILL);
                (void)waitpid(session->gdb, NULL, 0);
        }
        (void)signal(SIGPIPE, SIG_DFL);
        mi_record_free(session->stop);
        text_done(&session->line);
        text_done(&session->console);
        *session = SESSION_INIT;
}

int session_start(Session *session, char **arguments, bool printers, uint64_t deadline) {
        Launch launch;
        int r;

        *session = SESSION_INIT;
        notes_open(&session->notes, NOTES_FD);
        r = launch_gdb(arguments, printers, &launch);
        if (r < 0)
                return r;
        (void)signal(SIGPIPE, SIG_IGN);
        session->deadline = deadline;
        session->gdb = launch.pid;
        session->to_gdb = launch.to_gdb;
        session->from_gdb = launch.from_gdb;
        session->pipes[PIPE_OUT] = launch.program_out;
        session->pipes[PIPE_ERR] = launch.program_err;
        session->pipes[PIPE_REPORTS] = launch.reports;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(session->pipes); i++)
                r = fd_set_nonblocking(session->pipes[i], true);
        return r;
}

static void note(Session *session, NotesStream stream, Who who, size_t size) {
        if (stream == NOTES_ERR)
                notes_add(&session->notes, NOTES_ERR, WHO_PROGRAM, session->assertion);
        session->assertion = stream == NOTES_ERR ? 0 : session->assertion;
        notes_add(&session->notes, stream, who, size);
}

/* Noted only once it is written: who is ended in between has claimed nothing. */
static void write_on(Session *session, NotesStream stream, Who who, const char *data, size_t size) {
        if (size == 0)
                return;
        /* If nobody reads any more, the job is over, or will be. */
        (void)io_write(stream == NOTES_OUT ? STDOUT_FILENO : STDERR_FILENO, data, size, USEC_INFINITY);
        note(session, stream, who, size);
        session->printed |= stream == NOTES_OUT;
}

/* The size of the last line if assert() or a check of libstdc++ wrote it, else 0. */
static size_t assertion_size(const char *data, size_t size) {
        static const char c[] = ": Assertion `", cpp[] = ": Assertion '", end[] = "' failed.\n";
        const char *newline = size > 0 ? memrchr(data, '\n', size - 1) : NULL;
        const char *line = newline ? newline + 1 : data;
        size_t n = size - (size_t)(line - data);

        return n > strlen(end) && memcmp(line + n - strlen(end), end, strlen(end)) == 0 &&
                               (memmem(line, n, c, strlen(c)) || memmem(line, n, cpp, strlen(cpp)))
                       ? n
                       : 0;
}

static void write_err(Session *session, const char *data, size_t size) {
        size_t assertion = assertion_size(data, size);

        write_on(session, NOTES_ERR, WHO_PROGRAM, data, size - assertion);
        if (assertion == 0)
                return;
        (void)io_write(STDERR_FILENO, data + size - assertion, assertion, USEC_INFINITY);
        note(session, NOTES_ERR, WHO_PROGRAM, 0);
        session->assertion = assertion;
}

void session_take_assertion(Session *session) {
        size_t size;

        session_drain(session);
        size = session->assertion;
        session->assertion = 0;
        note(session, NOTES_ERR, WHO_DEBUGGER, size);
}

/* One read of a pipe of the program. 1: there may be more, 0: nothing now, -EPIPE: its end. */
static int pump(Session *session, SessionPipe pipe) {
        char buffer[65536];
        ssize_t n;

        if (session->pipes[pipe] < 0)
                return -EPIPE;
        n = read(session->pipes[pipe], buffer, sizeof(buffer));
        if (n > 0) {
                if (pipe == PIPE_ERR)
                        write_err(session, buffer, (size_t)n);
                else
                        write_on(session, pipe == PIPE_OUT ? NOTES_OUT : NOTES_ERR,
                                pipe == PIPE_OUT ? WHO_PROGRAM : WHO_DEBUGGER, buffer, (size_t)n);
                return 1;
        }
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        session->pipes[pipe] = fd_close(session->pipes[pipe]);
        return -EPIPE;
}

void session_drain(Session *session) {
        for (SessionPipe pipe = 0; pipe < _PIPE_MAX; pipe++)
                while (pump(session, pipe) > 0)
                        ;
}

/* What poll(2) is to look at. */
static void watch_pipes(const Session *session, struct pollfd fds[_PIPE_MAX]) {
        for (size_t i = 0; i < _PIPE_MAX; i++)
                fds[i] = (struct pollfd){ session->pipes[i], POLLIN, 0 };
}

static void pump_ready(Session *session, const struct pollfd fds[_PIPE_MAX]) {
        if (fds[PIPE_REPORTS].revents || fds[PIPE_ERR].revents)
                while (pump(session, PIPE_REPORTS) > 0)
                        ;
        for (SessionPipe pipe = PIPE_ERR; pipe < _PIPE_MAX; pipe++)
                if (fds[pipe].revents)
                        (void)pump(session, pipe);
}

void session_drain_all(Session *session) {
        struct pollfd fds[_PIPE_MAX];

        session->to_gdb = fd_close(session->to_gdb);
        while (session->pipes[PIPE_OUT] >= 0 || session->pipes[PIPE_ERR] >= 0) {
                watch_pipes(session, fds);
                if (poll(fds, ELEMENTSOF(fds), -1) < 0 && errno != EINTR)
                        return;
                pump_ready(session, fds);
        }
}

void session_print(Session *session, const Text *text) {
        session_drain(session);
        write_on(session, NOTES_OUT, WHO_DEBUGGER, text->data, text->size);
}

void session_print_value(Session *session, const char *words, const Text *value) {
        session_drain(session);
        write_on(session, NOTES_OUT, WHO_DEBUGGER, words, strlen(words));
        write_on(session, NOTES_OUT, WHO_PROGRAM, value->data, value->size);
        write_on(session, NOTES_OUT, WHO_DEBUGGER, "\n\n", 2);
}

/* Milliseconds for poll(), at least one. */
static int poll_timeout(uint64_t deadline) {
        uint64_t now = now_monotonic();

        if (deadline == USEC_INFINITY)
                return -1;
        return now >= deadline ? 0 : (int)MIN((deadline - now) / USEC_PER_MSEC + 1, (uint64_t)INT32_MAX);
}

/* Waits for bytes of gdb, handing the program's on meanwhile, and appends them to the line. */
static int receive(Session *session) {
        char buffer[65536];

        for (;;) {
                struct pollfd fds[_PIPE_MAX + 1] = { [_PIPE_MAX] = { session->from_gdb, POLLIN, 0 } };
                ssize_t n;
                int r;

                if (session->from_gdb < 0)
                        return -EPIPE;
                watch_pipes(session, fds);
                r = poll(fds, ELEMENTSOF(fds), poll_timeout(session->deadline));
                if (r < 0 && errno != EINTR)
                        return -errno;
                if (now_monotonic() >= session->deadline)
                        return -ETIMEDOUT;
                if (r <= 0)
                        continue;
                pump_ready(session, fds);
                if (!fds[_PIPE_MAX].revents)
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

/* First the copies of pbotvm-index-debug, which take half the time. */
#define DEBUG_FILES "set debug-file-directory /var/cache/pbotvm-guest/debug:/usr/lib/debug"

int session_load_symbols(Session *session) {
        static const char *const commands[] = { DEBUG_FILES, "nosharedlibrary", "sharedlibrary" };
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
