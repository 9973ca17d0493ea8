/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/tell.h"

#include <ctype.h>

/* How much of the stack is told; a recursion without end has a hundred thousand frames. */
#define FRAMES_MAX 12

static int octal_value(const char *digits) {
        for (int i = 0; i < 3; i++)
                if (digits[i] < '0' || digits[i] > '7')
                        return -1;
        return (digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0');
}

/* The size of what nobody wants to see outside a string: behind a number the character that it would be, if
 * that is a control character (0 '\000', 1 '\001'), and behind a string that only zeros follow. */
static size_t noise_size(const Text *text, const char *p) {
        char before = text->size > 0 ? text->data[text->size - 1] : '\0';
        const char *zeros = startswith(p, ", '\\000' <repeats ");
        size_t n = zeros ? strspn(zeros, "0123456789") : 0;

        if (isdigit((unsigned char)before) && strncmp(p, " '\\0", 4) == 0 && octal_value(p + 3) >= 0 &&
                p[6] == '\'')
                return 7;
        if (before == '"' && n > 0 && startswith(zeros + n, " times>"))
                return (size_t)(zeros - p) + n + strlen(" times>");
        return 0;
}

void tell_value(Text *text, const char *value) {
        char quote = '\0'; /* of the literal that is open */

        for (const char *p = value; *p; p++) {
                size_t noise = quote ? 0 : noise_size(text, p);

                if (noise > 0) {
                        p += noise - 1;
                        continue;
                }
                if (*p == '"' || *p == '\'')
                        quote = !quote ? *p : *p == quote ? '\0' : quote;
                if (*p == '\\' && (p[1] == '\\' || (quote && p[1] == quote))) {
                        text_append(text, p++, 2);
                } else if (*p == '\\' && octal_value(p + 1) >= 0200) {
                        text_append_printf(text, "\\x%02X", (unsigned)octal_value(p + 1));
                        p += 3;
                } else
                        text_append_char(text, *p);
        }
}

void tell_printed(Text *text, const Text *console) {
        _cleanup_text_ Text copy = {};
        const char *p = text_string(console), *value = NULL;

        if (*p == '$')
                value = strstr(p, " = ");
        text_append_string(&copy, value ? value + 3 : p);
        while (copy.size > 0 && copy.data[copy.size - 1] == '\n')
                text_truncate(&copy, copy.size - 1);
        tell_value(text, text_string(&copy));
        text->failed |= text_failed(&copy);
}

void tell_type(Text *text, const Text *console) {
        const char *p = startswith(text_string(console), "type = ");
        bool space = false;

        for (p = p ? p : text_string(console); *p; p++) {
                if (isspace((unsigned char)*p)) {
                        space = true;
                        continue;
                }
                if (space)
                        text_append_char(text, ' ');
                space = false;
                text_append_char(text, *p);
        }
}

void tell_frame(Text *text, const MiValue *frame, const MiValue *arguments) {
        const char *function = mi_text(frame, "func");

        if (!arguments)
                arguments = mi_member(frame, "args");
        text_append_string(text, function ? function : "??");
        text_append_string(text, " (");
        for (size_t i = 0; arguments && i < arguments->n; i++) {
                const char *name = mi_text(&arguments->items[i], "name");
                const char *value = mi_text(&arguments->items[i], "value");

                text_append_printf(text, "%s%s=", i > 0 ? ", " : "", name ? name : "");
                tell_value(text, value ? value : "...");
        }
        text_append_char(text, ')');
}

static bool is_own(const MiValue *frame, const Source *source) {
        const char *file = mi_text(frame, "file"), *slash;

        if (!file || !source->name)
                return false;
        slash = strrchr(file, '/');
        return streq(slash ? slash + 1 : file, source->name);
}

bool tell_statement(Text *text, const MiValue *frame, const Source *source) {
        const char *line = mi_text(frame, "line");
        _cleanup_text_ Text statement = {};

        if (!line || !is_own(frame, source) ||
                !source_append_statement(source, (unsigned)strtoul(line, NULL, 10), &statement))
                return false;
        text_append_string(text, " at statement: ");
        text_append_text(text, &statement);
        return true;
}

int tell_locals(Session *session, Text *text) {
        _cleanup_mi_record_ MiRecord *record = NULL;
        const MiValue *locals;
        int r = session_command(session, &record, "-stack-list-locals --all-values");

        if (r <= 0)
                return r;
        locals = mi_member(&record->results, "locals");
        for (size_t i = 0; locals && i < locals->n; i++) {
                const char *name = mi_text(&locals->items[i], "name"),
                           *value = mi_text(&locals->items[i], "value");

                /* Of print_last_statement(), and of assert(). */
                if (!name || startswith(name, "__pbotvm_") || streq(name, "__PRETTY_FUNCTION__") ||
                        streq(name, "__func__"))
                        continue;
                text_append_printf(text, "%s%s = ", text->size > 0 ? "; " : "", name);
                tell_value(text, value ? value : "...");
        }
        return text_error(text);
}

typedef struct Stack {
        MiRecord *frames, *arguments;
} Stack;

static void stack_done(Stack *stack) {
        stack->frames = mi_record_free(stack->frames);
        stack->arguments = mi_record_free(stack->arguments);
}

static int stack_read(Session *session, Stack *ret) {
        int r = session_command(session, &ret->frames, "-stack-list-frames 0 %i", FRAMES_MAX - 1);

        if (r > 0)
                r = session_command(
                        session, &ret->arguments, "-stack-list-arguments --all-values 0 %i", FRAMES_MAX - 1);
        return r;
}

static const MiValue *nth(const MiRecord *record, const char *list, size_t i) {
        const MiValue *values = record ? mi_member(&record->results, list) : NULL;

        return values && i < values->n ? &values->items[i] : NULL;
}

static const MiValue *stack_frame(const Stack *stack, size_t i) {
        return nth(stack->frames, "stack", i);
}

/* The first frame whose statement can be quoted, or -1. */
static ssize_t own_frame(const Stack *stack, const Source *source) {
        const MiValue *frame;

        for (size_t i = 0; (frame = stack_frame(stack, i)); i++)
                if (is_own(frame, source))
                        return (ssize_t)i;
        return -1;
}

/* Whether nothing on the stack is known: it was written over, and what gdb reads of it is made up. */
static bool is_overwritten(const Stack *stack, const Source *source) {
        const char *function = mi_text(stack_frame(stack, 0), "func");

        return (!function || streq(function, "??")) && stack_frame(stack, 0) && own_frame(stack, source) < 0;
}

/* Whether the signal comes from raise() or abort(). */
static bool is_raise(const Stack *stack) {
        const char *function = mi_text(stack_frame(stack, 0), "func");

        return function &&
               (strstr(function, "pthread_kill") || strstr(function, "raise") || strstr(function, "abort"));
}

static bool same_place(const MiValue *a, const MiValue *b) {
        return streq_ptr(mi_text(a, "func"), mi_text(b, "func")) &&
               streq_ptr(mi_text(a, "line"), mi_text(b, "line"));
}

/* Of a recursion the beginning is enough. */
static bool is_repeated(const Stack *stack, size_t first, size_t i) {
        return i >= first + 3 && same_place(stack_frame(stack, i), stack_frame(stack, i - 1)) &&
               same_place(stack_frame(stack, i), stack_frame(stack, i - 2)) &&
               same_place(stack_frame(stack, i), stack_frame(stack, i - 3));
}

static void tell_frames(const Stack *stack, size_t first, const Source *source, Text *text) {
        const MiValue *frame;
        bool complete = false, omitted = false;

        for (size_t i = first; !complete && (frame = stack_frame(stack, i)); i++) {
                complete = streq_ptr(mi_text(frame, "func"), "main");
                if (is_repeated(stack, first, i)) {
                        omitted = true;
                        continue;
                }
                if (i > first)
                        text_append_string(text, " called by ");
                tell_frame(text, frame, mi_member(nth(stack->arguments, "stack-args", i), "args"));
                (void)tell_statement(text, frame, source);
        }
        if (omitted && !complete)
                text_append_string(text, " called by ...");
}

/* Whether a library's function lies between the innermost frame and main(): gdb finds its way through, and
 * its name, by the library's own symbols. */
static bool has_library(const Stack *stack, const Source *source) {
        const MiValue *frame;

        for (size_t i = 0; (frame = stack_frame(stack, i)); i++) {
                if (!is_own(frame, source))
                        return true;
                if (streq_ptr(mi_text(frame, "func"), "main"))
                        break;
        }
        return false;
}

int tell_stack(Session *session, const Source *source, Text *text) {
        _cleanup_(stack_done) Stack stack = {};
        _cleanup_text_ Text locals = {};
        size_t first;
        int r = stack_read(session, &stack);

        if (r > 0 && !session->symbols && has_library(&stack, source)) {
                stack_done(&stack);
                r = session_load_symbols(session);
                if (r == 0)
                        r = stack_read(session, &stack);
        }
        if (r <= 0)
                return r;
        if (is_overwritten(&stack, source)) {
                text_append_string(text, "?? () <the stack is overwritten>");
                return text_error(text);
        }
        first = is_raise(&stack) ? (size_t)MAX(own_frame(&stack, source), (ssize_t)0) : 0;
        tell_frames(&stack, first, source, text);
        r = session_command(session, NULL, "-stack-select-frame %zu", first);
        if (r > 0)
                r = tell_locals(session, &locals);
        if (r < 0)
                return r;
        if (locals.size > 0)
                text_append_printf(text, " <local variables: %s>", text_string(&locals));
        return text_error(text);
}
