/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a program asks of the debugger with the macros of prelude.h. */

#include "gdb/session.h"
#include "gdb/source.h"

#define TRACES_MAX 64

typedef struct Commands {
        unsigned traces[TRACES_MAX], watches[TRACES_MAX]; /* numbers of breakpoints */
        size_t n_traces, n_watches;
        bool cpp;   /* the language that gdb is to speak: C++, else C */
        bool steps; /* watchpoints are looked at after each instruction */
} Commands;

/* At the breakpoint of __pbotvm_ask(): does what is asked, from the view of who asks. 0 or a negative errno.
 */
int commands_run(Commands *commands, Session *session, const Source *source, const MiValue *frame);

/* At a breakpoint that may be one of trace(). */
int commands_tell_trace(const Commands *commands, Session *session, const Source *source, unsigned number,
        const MiValue *frame);

/* At a watchpoint. */
int commands_tell_watch(Session *session, const Source *source, const MiRecord *stop);

/* Deletes all watchpoints and traces. */
int commands_forget(Commands *commands, Session *session);

/* Whether an argument of a frame of prelude.h is a pointer but NULL. */
bool commands_argument_is_set(const MiValue *frame, const char *name);
/* Reads the text at the pointer of that name; the argument "size" is its length. 1, 0 if there is none, or a
 * negative errno. */
int commands_read_text(Session *session, const MiValue *frame, const char *name, Text *ret);
