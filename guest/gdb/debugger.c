/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/debugger.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "gdb/commands.h"
#include "gdb/end-of-main.h"
#include "gdb/expression.h"
#include "gdb/signals.h"
#include "gdb/tell.h"

typedef struct Debugger {
        Session session;
        const Source *source;
        Commands commands;                          /* what the program asked for: traces, watchpoints */
        unsigned ask, last;                         /* numbers of breakpoints, 0: not set */
        unsigned ends[END_PLACES_MAX], ends_passed; /* likewise; how often the program came by one */
        bool leaves;                                /* from there on main() leaves */
        Text locals;            /* of main() at its end, to be told if nothing else was */
        unsigned handled[NSIG]; /* how often the program took a signal by itself */
        Ending *ending;
} Debugger;

static void debugger_done(Debugger *debugger) {
        session_done(&debugger->session);
        text_done(&debugger->locals);
}

/* Sets a breakpoint, which may fail: not every program has the place. */
static int set_breakpoint(Debugger *debugger, const char *place, unsigned *ret) {
        _cleanup_mi_record_ MiRecord *record = NULL;
        int r = session_command(&debugger->session, &record, "-break-insert %s", place);
        const char *number = r > 0 ? mi_text(mi_member(&record->results, "bkpt"), "number") : NULL;

        *ret = number ? (unsigned)strtoul(number, NULL, 10) : 0;
        return r < 0 ? r : 0;
}

/* Sets a breakpoint at a line of main(); where the line has no code gdb takes another one, which does not
 * help. */
static int set_line_breakpoint(Debugger *debugger, unsigned line, unsigned *ret) {
        _cleanup_mi_record_ MiRecord *record = NULL;
        int r = session_command(
                &debugger->session, &record, "-break-insert \"%s:%u\"", debugger->source->name, line);
        const MiValue *breakpoint = r > 0 ? mi_member(&record->results, "bkpt") : NULL;
        const char *number = mi_text(breakpoint, "number"), *at = mi_text(breakpoint, "line");

        *ret = 0;
        if (r < 0 || !number)
                return MIN(r, 0);
        /* One of several places of a line says so in its places, not here. */
        if (at && strtoul(at, NULL, 10) != line) {
                r = session_command(&debugger->session, NULL, "-break-delete %s", number);
                return MIN(r, 0);
        }
        *ret = (unsigned)strtoul(number, NULL, 10);
        return 0;
}

/* Sets a breakpoint at an address of main(), as seen from its beginning, since the program will be loaded
 * elsewhere. */
static int set_address_breakpoint(Debugger *debugger, uint64_t address, unsigned *ret) {
        _cleanup_mi_record_ MiRecord *record = NULL;
        char place[64];

        *ret = 0;
        int r = session_command(&debugger->session, &record,
                "-data-evaluate-expression \"%" PRIu64 "-(unsigned long)&main\"", address);
        const char *offset = r > 0 ? mi_text(&record->results, "value") : NULL;
        if (!offset)
                return MIN(r, 0);
        (void)snprintf(place, sizeof(place), "*main+%lu", strtoul(offset, NULL, 10));
        return set_breakpoint(debugger, place, ret);
}

/* From the line's first address to where its code leaves main(). */
static int move_end_breakpoint(Debugger *debugger, unsigned brace) {
        _cleanup_mi_record_ MiRecord *record = NULL;
        uint64_t places[END_PLACES_MAX];
        size_t n = 0;

        int r = session_command(&debugger->session, &record, "-data-disassemble -a main 4");
        if (r > 0)
                r = end_of_main_places(
                        mi_member(&record->results, "asm_insns"), debugger->source->name, brace, places, &n);
        if (n == 0)
                return MIN(r, 0);
        r = session_command(&debugger->session, NULL, "-break-delete %u", debugger->ends[0]);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = set_address_breakpoint(debugger, places[i], &debugger->ends[i]);
        debugger->leaves = true;
        return MIN(r, 0);
}

/* At the brace that closes main() its variables are still there, whatever return led there. clang has no
 * code for it after a last return: then that. */
static int set_end_breakpoint(Debugger *debugger) {
        const unsigned brace = end_of_main_line(debugger->source);
        _cleanup_text_ Text statement = {};

        if (brace == 0)
                return 0;
        int r = set_line_breakpoint(debugger, brace, &debugger->ends[0]);
        if (r < 0)
                return r;
        /* In C nothing is destroyed. */
        if (debugger->ends[0] > 0)
                return debugger->commands.cpp ? move_end_breakpoint(debugger, brace) : 0;
        if (source_append_statement(debugger->source, brace - 1, &statement) &&
                startswith(text_string(&statement), "return"))
                return set_line_breakpoint(debugger, brace - 1, &debugger->ends[0]);
        return 0;
}

static int prepare(Debugger *debugger) {
        int r = set_breakpoint(debugger, "__pbotvm_ask", &debugger->ask);

        if (r == 0)
                r = set_breakpoint(debugger, "__pbotvm_last", &debugger->last);
        if (r == 0)
                r = set_end_breakpoint(debugger);
        return r < 0 ? r : 0;
}

/* The value of the last expression, unless the program has printed anything. */
static int tell_last(Debugger *debugger, const MiValue *frame) {
        Session *session = &debugger->session;
        _cleanup_text_ Text expression = {}, text = {};
        int r;

        session_drain(session);
        if (session->printed || !commands_argument_is_set(frame, "value"))
                return 0;
        r = commands_read_text(session, frame, "expression", &expression);
        if (r > 0)
                r = session_command(session, NULL, "-stack-select-frame 1");
        if (r > 0)
                r = expression_print(session, NULL, "*__pbotvm_place");
        if (r <= 0)
                return r;
        text_append_printf(&text, "%s = ", text_string(&expression));
        /* Without its name wchar_t is a number for gdb. */
        if (strchr("LUu", expression.data[0]) && expression.data[1] == '"')
                text_append_text(&text, &expression);
        else
                tell_printed(&text, &session->console);
        session_print_value(session, "\nno output: ", &text);
        return text_error(&text);
}

static bool is_end(const Debugger *debugger, unsigned number) {
        for (size_t i = 0; i < END_PLACES_MAX; i++)
                if (debugger->ends[i] == number)
                        return true;
        return false;
}

/* In a main() that calls itself each stop costs a thousand times as much as what it interrupts. */
#define ENDS_PASSED_MAX 100

static int forget_ends(Debugger *debugger) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < END_PLACES_MAX; i++)
                if (debugger->ends[i] > 0)
                        r = session_command(&debugger->session, NULL, "-break-delete %u", debugger->ends[i]);
        return MIN(r, 0);
}

/* At the brace that closes main(): nothing is printed yet, a destructor may still print. */
static int note_locals(Debugger *debugger, const MiValue *frame) {
        session_drain(&debugger->session);
        text_clear(&debugger->locals);
        if (++debugger->ends_passed > ENDS_PASSED_MAX)
                return forget_ends(debugger);
        if (debugger->session.printed || !streq_ptr(mi_text(frame, "func"), "main"))
                return 0;
        int r = tell_locals(&debugger->session, &debugger->locals);
        /* It may come by another one on its way. */
        return r >= 0 && debugger->leaves ? forget_ends(debugger) : r;
}

static int handle_breakpoint(Debugger *debugger, const MiRecord *stop) {
        const MiValue *frame = mi_member(&stop->results, "frame");
        const char *text = mi_text(&stop->results, "bkptno");
        unsigned number = text ? (unsigned)strtoul(text, NULL, 10) : 0;

        if (number == 0)
                return 0;
        if (number == debugger->ask)
                return commands_run(&debugger->commands, &debugger->session, debugger->source, frame);
        if (number == debugger->last)
                return tell_last(debugger, frame);
        if (is_end(debugger, number))
                return note_locals(debugger, frame);
        return commands_tell_trace(&debugger->commands, &debugger->session, debugger->source, number, frame);
}

static int tell_signal(Debugger *debugger, const MiRecord *stop, const char *name) {
        Session *session = &debugger->session;
        const char *meaning = mi_text(&stop->results, "signal-meaning");
        _cleanup_text_ Text text = {}, stack = {};
        int r = tell_stack(session, debugger->source, &stack);

        if (streq(name, "SIGABRT"))
                session_take_assertion(session);
        text_append_printf(&text, "\nProgram received signal %s, %s", name, meaning ? meaning : "?");
        if (stack.size > 0)
                text_append_printf(&text, " in %s", text_string(&stack));
        text_append_string(&text, "\n\n");
        session_print(session, &text);
        return r < 0 ? r : text_error(&text);
}

/* After so many that the program handled, a signal stops it no more: that costs a thousand times as much as
 * the signal. One that ends it after all is then told of by its name alone. */
#define HANDLED_MAX 20

static int let_pass(Debugger *debugger, const char *name) {
        char command[64];
        int r;

        (void)snprintf(command, sizeof(command), "handle %s nostop noprint pass", name);
        r = session_console(&debugger->session, NULL, command);
        return MIN(r, 0);
}

/* gdb keeps these two to itself unless told otherwise. */
static int pass_signal(Debugger *debugger, int number, const char *name) {
        char command[64];
        int r;

        if (number != SIGINT && number != SIGTRAP)
                return 0;
        (void)snprintf(command, sizeof(command), "signal %s", name);
        r = session_console(&debugger->session, NULL, command);
        return MIN(r, 0);
}

/* Returns 1 if the program ends by it. */
static int handle_signal(Debugger *debugger, const MiRecord *stop) {
        const char *name = mi_text(&stop->results, "signal-name");
        int number = name ? signal_number(name) : 0, r;

        /* A real-time signal, of which nothing is told but how it ended the program. */
        if (number == 0)
                return name && !streq(name, "0") ? let_pass(debugger, name) : 0;
        if (signal_action(number) == SIGNAL_DOES_NOTHING ||
                signal_is_handled(debugger->session.program, number)) {
                if (++debugger->handled[number] == HANDLED_MAX && number != SIGTRAP) {
                        r = let_pass(debugger, name);
                        if (r < 0)
                                return r;
                }
                return pass_signal(debugger, number, name);
        }
        debugger->ending->signal = number;
        r = tell_signal(debugger, stop, name);
        return r < 0 ? r : 1;
}

static int handle_exit(Debugger *debugger, const MiRecord *stop) {
        const char *code = mi_text(&stop->results, "exit-code"),
                   *name = mi_text(&stop->results, "signal-name");
        const char *meaning = mi_text(&stop->results, "signal-meaning");
        _cleanup_text_ Text text = {};

        session_drain(&debugger->session);
        if (name) {
                debugger->ending->signal = signal_number(name);
                text_append_printf(
                        &text, "\nProgram terminated with signal %s, %s\n\n", name, meaning ? meaning : "?");
        } else {
                debugger->ending->status = code ? (int)strtol(code, NULL, 8) : 0;
                if (!debugger->session.printed && debugger->locals.size > 0)
                        session_print_value(&debugger->session, "\nno output: ", &debugger->locals);
        }
        session_print(&debugger->session, &text);
        return text_failed(&text) ? -ENOMEM : 1;
}

/* One stop of the program. 1: it has ended, 0: it goes on, or a negative errno. */
static int handle_stop(Debugger *debugger, const MiRecord *stop) {
        const char *reason = mi_text(&stop->results, "reason");

        if (!reason)
                return 0;
        if (startswith(reason, "exited"))
                return handle_exit(debugger, stop);
        if (streq(reason, "signal-received"))
                return handle_signal(debugger, stop);
        if (streq(reason, "breakpoint-hit"))
                return handle_breakpoint(debugger, stop);
        if (streq(reason, "watchpoint-trigger"))
                return commands_tell_watch(&debugger->session, debugger->source, stop);
        return 0;
}

/* Lets the program go on, unless a command of its own did so. 0, or -EPIPE when it is gone. */
static int go_on(Debugger *debugger) {
        Session *session = &debugger->session;

        for (int attempt = 0; attempt < 2; attempt++) {
                _cleanup_mi_record_ MiRecord *record = NULL;
                _cleanup_text_ Text text = {};
                int r;

                if (session->running || session->stop)
                        return 0;
                r = session_command(session, &record, "-exec-continue");
                if (r != 0)
                        return MIN(r, 0);
                /* A watchpoint, most likely, for which the machine has no register. */
                text_append_printf(&text, "\n%s\n\n", session_error(record));
                session_print(session, &text);
                (void)commands_forget(&debugger->commands, session);
        }
        return -EPIPE;
}

static int follow(Debugger *debugger) {
        for (;;) {
                _cleanup_mi_record_ MiRecord *stop = NULL;
                int r = session_wait(&debugger->session, &stop);

                if (r == 0)
                        r = handle_stop(debugger, stop);
                if (r == 0)
                        r = go_on(debugger);
                if (r != 0)
                        return MIN(r, 0);
        }
}

/* Its time is over: what it printed is kept. The program dies with gdb. */
static int tell_timeout(Debugger *debugger) {
        _cleanup_text_ Text text = {};

        text_append_string(&text, debugger->commands.steps
                                          ? "[gdb time-out: watch() goes step by step on this machine]\n"
                                          : "[gdb time-out]\n");
        session_print(&debugger->session, &text);
        debugger->ending->signal = SIGALRM;
        return text_error(&text);
}

static bool is_cpp(const Source *source) {
        const char *dot = source->name ? strrchr(source->name, '.') : NULL;

        return dot && (streq(dot, ".cpp") || streq(dot, ".cc") || streq(dot, ".cxx"));
}

int debugger_run(char **arguments, const Source *source, uint64_t deadline, Ending *ret) {
        _cleanup_(debugger_done)
                Debugger debugger = { .source = source, .commands.cpp = is_cpp(source), .ending = ret };
        int r;

        *ret = (Ending){};
        r = session_start(&debugger.session, arguments, debugger.commands.cpp, deadline);
        if (r == 0)
                r = prepare(&debugger);
        if (r == 0)
                r = session_command(&debugger.session, NULL, "-exec-run");
        /* The debugger alone took all the time: without it there would be none for the program either. */
        if (r == -ETIMEDOUT) {
                ret->started = true;
                return tell_timeout(&debugger);
        }
        if (r <= 0)
                return r < 0 ? r : -ENOEXEC;
        ret->started = true;
        r = follow(&debugger);
        if (r == -ETIMEDOUT)
                return tell_timeout(&debugger);
        if (ret->signal == 0 && r == 0)
                (void)session_command(&debugger.session, NULL, "-gdb-exit");
        session_drain_all(&debugger.session);
        return r;
}
