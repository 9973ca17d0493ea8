/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/commands.h"

#include <ctype.h>
#include <stdio.h>

#include "common/hex.h"
#include "gdb/debug-registers.h"
#include "gdb/expression.h"
#include "gdb/tell.h"

/* A question is as long as somebody wrote it into a program. */
#define QUESTION_MAX 65536

/* Frames from __pbotvm_ask() to who wrote the macro: gdb() lies between. */
#define ASKER 2

static const char *argument_value(const MiValue *frame, const char *name) {
        const MiValue *arguments = mi_member(frame, "args");

        for (size_t i = 0; arguments && i < arguments->n; i++)
                if (streq_ptr(mi_text(&arguments->items[i], "name"), name))
                        return mi_text(&arguments->items[i], "value");
        return NULL;
}

static unsigned long argument_number(const MiValue *frame, const char *name) {
        const char *value = argument_value(frame, name);

        /* A pointer is "0x5555 \"text\"", in C++ "(const char *) 0x5555". */
        while (value && *value && !isdigit((unsigned char)*value))
                value++;
        return value ? strtoul(value, NULL, 0) : 0;
}

bool commands_argument_is_set(const MiValue *frame, const char *name) {
        return argument_number(frame, name) != 0;
}

int commands_read_text(Session *session, const MiValue *frame, const char *name, Text *ret) {
        _cleanup_mi_record_ MiRecord *record = NULL;
        unsigned long address = argument_number(frame, name), size = argument_number(frame, "size");
        const MiValue *memory;
        const char *hex;
        int r;

        if (address == 0 || size == 0)
                return 0;
        r = session_command(session, &record, "-data-read-memory-bytes 0x%lx %lu", address,
                MIN(size, (unsigned long)QUESTION_MAX));
        if (r <= 0)
                return r;
        memory = mi_member(&record->results, "memory");
        hex = memory && memory->n > 0 ? mi_text(&memory->items[0], "contents") : NULL;
        for (; hex && hex[0] && hex[1]; hex += 2)
                text_append_char(ret, (char)(hex_value(hex[0]) * 16 + hex_value(hex[1])));
        return text_failed(ret) ? -ENOMEM : ret->size > 0;
}

/* The frame of who asks: its variables, and, as -stack-select-frame would not do, its file for "list" and
 * for lines that are only numbers. */
static int select_asker(Session *session) {
        char command[32];

        (void)snprintf(command, sizeof(command), "frame %i", ASKER);
        return session_console(session, NULL, command);
}

/* A console command (NULL: print) about an argument; once more with the symbols and types of the libraries
 * if it fails without. */
static int ask_once(Session *session, MiRecord **ret, const char *console, const char *argument) {
        _cleanup_text_ Text command = {};

        if (!console)
                return expression_print(session, ret, argument);
        text_append_printf(&command, "%s%s", console, argument);
        return text_failed(&command) ? -ENOMEM : session_console(session, ret, text_string(&command));
}

static int ask_console(Session *session, MiRecord **ret, const char *console, const char *argument) {
        int r = ask_once(session, ret, console, argument);

        if (r != 0 || session->symbols)
                return r;
        r = session_load_symbols(session);
        /* gdb has gone back to the innermost frame. */
        if (r >= 0)
                r = select_asker(session);
        if (r < 0)
                return r;
        *ret = mi_record_free(*ret);
        return ask_once(session, ret, console, argument);
}

/* Of a constant alone its character is shown. */
static bool is_shown_character(const char *console, const char *expression) {
        size_t n = strlen(expression);

        return !console && expression[0] == '\'' && (n == 3 || (n == 4 && expression[1] == '\\'));
}

/* Of an error the message, else what the console said, made readable by append. */
static int answer(const Commands *commands, Session *session, const char *console, const char *expression,
        void (*append)(Text *text, const Text *console)) {
        _cleanup_mi_record_ MiRecord *record = NULL;
        _cleanup_text_ Text asked = {}, text = {};
        bool calls = strchr(expression, '(') != NULL;
        int r = 0;

        /* A function that is called to find a value shall not ask in turn. */
        if (calls)
                r = session_command(session, NULL, "-break-disable");
        if (commands->cpp || is_shown_character(console, expression))
                text_append_string(&asked, expression);
        else
                expression_append_c(&asked, expression);
        if (r >= 0)
                r = ask_console(session, &record, console, text_string(&asked));
        if (r > 0) {
                text_append_printf(&text, "%s = ", expression);
                append(&text, &session->console);
        } else
                text_append_string(&text, session_error(record));
        if (r >= 0 && calls)
                r = session_command(session, NULL, "-break-enable");
        if (r < 0)
                return r;
        session_print_value(session, "\n", &text);
        return text_failed(&asked) ? -ENOMEM : text_error(&text);
}

static int ask_print(Commands *commands, Session *session, const char *expression) {
        return answer(commands, session, NULL, expression, tell_printed);
}

static int ask_ptype(Commands *commands, Session *session, const char *expression) {
        return answer(commands, session, "ptype ", expression, tell_type);
}

static int ask_whatis(Commands *commands, Session *session, const char *expression) {
        return answer(commands, session, "whatis ", expression, tell_type);
}

/* Sets a breakpoint or a watchpoint by an MI command and notes its number. 0: gdb's words why not are in
 * *ret. */
static int set_point(Session *session, const char *command, const char *place, const char *result,
        unsigned *numbers, size_t *n, MiRecord **ret) {
        _cleanup_text_ Text quoted = {};
        const char *number;
        int r;

        for (const char *p = place; *p; p++) {
                if (*p == '"' || *p == '\\')
                        text_append_char(&quoted, '\\');
                text_append_char(&quoted, *p);
        }
        if (text_failed(&quoted))
                return -ENOMEM;
        r = session_command(session, ret, "%s \"%s\"", command, text_string(&quoted));
        number = r > 0 ? mi_text(mi_member(&(*ret)->results, result), "number") : NULL;
        if (number)
                numbers[(*n)++] = (unsigned)strtoul(number, NULL, 10);
        return r;
}

static int tell_refusal(Session *session, const MiRecord *record) {
        _cleanup_text_ Text text = {};

        text_append_printf(&text, "\n%s\n\n", session_error(record));
        session_print(session, &text);
        return text_error(&text);
}

/* The function in which gdb before 14 stopped for a line outside of every function, the one behind it. */
static int function_behind_line(Session *session, const char *line, Text *ret) {
        _cleanup_text_ Text command = {};
        const char *begin, *end;
        int r;

        text_append_printf(&command, "info line %s", line);
        r = text_failed(&command) ? -ENOMEM : session_console(session, NULL, text_string(&command));
        if (r <= 0)
                return r;
        begin = strchr(text_string(&session->console), '<');
        end = begin ? strpbrk(begin, "+>") : NULL;
        if (!end || *end != '>')
                return 0;
        text_append(ret, begin + 1, (size_t)(end - begin - 1));
        return text_failed(ret) ? -ENOMEM : 1;
}

static int ask_trace(Commands *commands, Session *session, const char *place) {
        _cleanup_mi_record_ MiRecord *record = NULL, *again = NULL;
        _cleanup_text_ Text function = {};
        int r;

        if (commands->n_traces == TRACES_MAX)
                return 0;
        r = set_point(
                session, "-break-insert", place, "bkpt", commands->traces, &commands->n_traces, &record);
        if (r != 0)
                return MIN(r, 0);
        if (!place[strspn(place, "0123456789")]) {
                r = function_behind_line(session, place, &function);
                if (r > 0)
                        r = set_point(session, "-break-insert", text_string(&function), "bkpt",
                                commands->traces, &commands->n_traces, &again);
                if (r != 0)
                        return MIN(r, 0);
        }
        return tell_refusal(session, record);
}

static int ask_watch(Commands *commands, Session *session, const char *expression) {
        _cleanup_mi_record_ MiRecord *record = NULL;
        int r;

        if (commands->n_watches == 0 && !commands->steps && !debug_registers_work()) {
                r = session_console(session, NULL, "set can-use-hw-watchpoints 0");
                if (r < 0)
                        return r;
                commands->steps = true;
        }
        if (commands->n_watches == TRACES_MAX)
                return 0;
        r = set_point(session, "-break-watch", expression, "wpt", commands->watches, &commands->n_watches,
                &record);
        return r == 0 ? tell_refusal(session, record) : MIN(r, 0);
}

/* Any other command of gdb: its answer as it comes. */
static int ask_other(Session *session, const char *command) {
        _cleanup_mi_record_ MiRecord *record = NULL;
        _cleanup_text_ Text text = {};
        int r = ask_console(session, &record, "", command);

        if (r < 0)
                return r;
        text_append_char(&text, '\n');
        tell_value(&text, text_string(&session->console));
        if (r == 0)
                text_append_printf(&text, "%s\n\n\n", session_error(record));
        text_append_string(&text, "\n\n");
        session_print(session, &text);
        return text_error(&text);
}

static const struct {
        const char *word;
        int (*ask)(Commands *commands, Session *session, const char *argument);
} questions[] = {
        { "dump ", ask_print },
        { "print ", ask_print },
        { "ptype ", ask_ptype },
        { "whatis ", ask_whatis },
        { "trace ", ask_trace },
        { "watch ", ask_watch },
};

int commands_run(Commands *commands, Session *session, const Source *source _unused_, const MiValue *frame) {
        _cleanup_text_ Text question = {};
        int r = commands_read_text(session, frame, "command", &question);

        if (r > 0)
                r = select_asker(session);
        if (r <= 0)
                return r;
        session_drain(session);
        for (size_t i = 0; i < ELEMENTSOF(questions); i++) {
                const char *argument = startswith(text_string(&question), questions[i].word);
                if (argument)
                        return questions[i].ask(commands, session, argument);
        }
        return ask_other(session, text_string(&question));
}

int commands_tell_trace(const Commands *commands, Session *session, const Source *source, unsigned number,
        const MiValue *frame) {
        _cleanup_mi_record_ MiRecord *record = NULL;
        _cleanup_text_ Text text = {};
        const MiValue *callers;
        bool known = false;
        int r;

        for (size_t i = 0; i < commands->n_traces; i++)
                known |= commands->traces[i] == number;
        if (!known)
                return 0;
        r = session_command(session, &record, "-stack-list-frames 1 1");
        if (r < 0)
                return r;
        callers = r > 0 ? mi_member(&record->results, "stack") : NULL;
        text_append_string(&text, "\ntrace: ");
        tell_frame(&text, frame, NULL);
        if (streq_ptr(mi_text(frame, "func"), "main"))
                (void)tell_statement(&text, frame, source);
        else if (callers && callers->n > 0) {
                text_append_string(&text, " called by ");
                text_append_string(&text, mi_text(&callers->items[0], "func") ?: "??");
                (void)tell_statement(&text, &callers->items[0], source);
        }
        text_append_string(&text, "\n\n");
        session_print(session, &text);
        return text_error(&text);
}

/* The program stops behind the instruction that wrote, often on the next line: the statement is that of the
 * byte before. Appends it to *text. */
static int tell_writer(Session *session, const Source *source, Text *text) {
        const char *p;
        unsigned line;
        int r = session_console(session, NULL, "info line *($pc-1)");

        if (r <= 0)
                return r;
        p = startswith(text_string(&session->console), "Line ");
        line = p ? (unsigned)strtoul(p, NULL, 10) : 0;
        if (line > 0) {
                text_append_string(text, " at statement: ");
                (void)source_append_statement(source, line, text);
        }
        return text_error(text);
}

int commands_tell_watch(Session *session, const Source *source, const MiRecord *stop) {
        const char *expression = mi_text(mi_member(&stop->results, "wpt"), "exp");
        const char *old = mi_text(mi_member(&stop->results, "value"), "old");
        const char *new = mi_text(mi_member(&stop->results, "value"), "new");
        _cleanup_text_ Text text = {};
        int r;

        text_append_printf(&text, "\n%s changed: ", expression ? expression : "?");
        tell_value(&text, old ? old : "?");
        text_append_string(&text, " => ");
        tell_value(&text, new ? new : "?");
        r = tell_writer(session, source, &text);
        text_append_string(&text, "\n\n");
        session_print(session, &text);
        return r;
}

static int delete_all(Session *session, const unsigned *numbers, size_t *n) {
        int r = 0;

        for (size_t i = 0; i < *n && r >= 0; i++)
                r = session_command(session, NULL, "-break-delete %u", numbers[i]);
        *n = 0;
        return MIN(r, 0);
}

int commands_forget(Commands *commands, Session *session) {
        int r = delete_all(session, commands->watches, &commands->n_watches);

        return r < 0 ? r : delete_all(session, commands->traces, &commands->n_traces);
}
