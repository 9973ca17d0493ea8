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

void session_done(Session *session) {
        session->to_gdb = fd_close(session->to_gdb);
        session->from_gdb = fd_close(session->from_gdb);
        session->program_out = fd_close(session->program_out);
        if (session->gdb > 0) {
                (void)kill(session->gdb, SIGKILL);
                (void)waitpid(session->gdb, NULL, 0);
        }
        (void)signal(SIGPIPE, SIG_DFL);
        mi_record_free(session->stop);
        text_done(&session->line);
        text_done(&session->console);
        *session = (Session){ .to_gdb = -EBADF, .from_gdb = -EBADF, .program_out = -EBADF };
}

int session_start(Session *session, char **arguments, bool printers) {
        Launch launch;
        int r;

        *session = (Session){ .to_gdb = -EBADF, .from_gdb = -EBADF, .program_out = -EBADF };
        r = launch_gdb(arguments, printers, &launch);
        if (r < 0)
                return r;
        (void)signal(SIGPIPE, SIG_IGN);
        session->gdb = launch.pid;
        session->to_gdb = launch.to_gdb;
        session->from_gdb = launch.from_gdb;
        session->program_out = launch.program_out;
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
