/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One gdb and the program in it: commands and answers over pipes, and what the program writes, which comes
 * through pipes too and is handed on, so that it stays in order with what the debugger says. */

#include <sys/types.h>

#include "gdb/mi.h"
#include "plan/notes.h"

/* The pipes of the program. Reports are read before errors: a sanitizer that has one to make waits until the
 * errors before it were taken (prelude.h), and all is in order. */
typedef enum SessionPipe {
        PIPE_REPORTS,
        PIPE_ERR,
        PIPE_OUT,
        _PIPE_MAX,
} SessionPipe;

typedef struct Session {
        pid_t gdb;
        int to_gdb, from_gdb; /* -EBADF once gdb has gone */
        int pipes[_PIPE_MAX]; /* -EBADF at their ends */
        NotesWriter notes;    /* whose what is that was handed on */
        size_t assertion;     /* bytes of a line of assert(), the last of standard error, not noted yet */
        Text line;            /* of gdb, not ended yet */
        unsigned token;
        MiRecord *stop;    /* the last "stopped" that nobody took */
        pid_t program;     /* 0: not started */
        bool symbols;      /* those of the libraries are loaded */
        bool running;      /* the program runs: a stop is to come */
        bool printed;      /* anything was written to standard output */
        uint64_t deadline; /* when waiting ends with -ETIMEDOUT; CLOCK_MONOTONIC, usec */
        Text console;      /* what the current command says on gdb's console */
} Session;

/* Starts gdb on the program. arguments: the program's argv, NULL-terminated; arguments[0] is its path.
 * printers: load the scripts that show the containers of C++. 0, or a negative errno if gdb cannot be
 * started. */
int session_start(Session *session, char **arguments, bool printers, uint64_t deadline);
/* Ends gdb, and by that the program. */
void session_done(Session *session);
#define _cleanup_session_ _cleanup_(session_done)

/* Sends a command and waits for its answer. Returns 1 and *ret (unless NULL) for "done" and "running", 0 and
 * *ret for "error", or -EPIPE when gdb has gone, -ETIMEDOUT or -ENOMEM. session->console holds what it said.
 */
int session_command(Session *session, MiRecord **ret, const char *format, ...) _printf_(3, 4);
/* Likewise a command of gdb's command line. */
int session_console(Session *session, MiRecord **ret, const char *command);
/* Loads the symbols of the libraries, and what separate files know of them, once. 0 or -EPIPE, -ENOMEM. */
int session_load_symbols(Session *session);
/* The message of an error. */
const char *session_error(const MiRecord *record);

/* Waits until the program stops or ends, handing its output on. 0 and *ret, -EPIPE when gdb has gone, or
 * -ETIMEDOUT. */
int session_wait(Session *session, MiRecord **ret);

/* Hands on what the program has printed up to now. */
void session_drain(Session *session);
/* Hands on all that comes until nobody holds the pipe; gdb is ended before. */
void session_drain_all(Session *session);
/* Writes to standard output, after what the program has printed. */
void session_print(Session *session, const Text *text);
/* Likewise words of the debugger, what the program itself gave (a value, which nobody is to mend), "\n\n".
 */
void session_print_value(Session *session, const char *words, const Text *value);
/* The program aborted: if the last line that it wrote is that of assert(), it is the debugger's. */
void session_take_assertion(Session *session);
