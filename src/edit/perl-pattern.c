/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edit/perl-pattern.h"

#include <ctype.h>

/* Perl's flags of how characters are classified, and those that mean nothing inside of a pattern. PCRE2 has
 * none of them; text is Unicode here in any case. */
#define OTHER_FLAGS "adlupgco"
#define FLAGS "imsxn^-" OTHER_FLAGS

typedef struct Writer {
        const char *data;
        size_t size, at;
        Text *out;
        bool first;     /* nothing stands before it that could be repeated */
        bool in_class;  /* between [ and ] */
        bool has_class; /* in there, just behind a class like \d, which no range can begin with */
} Writer;

static char look(const Writer *w, size_t ahead) {
        return w->at + ahead < w->size ? w->data[w->at + ahead] : '\0';
}

static void copy(Writer *w, size_t n) {
        n = MIN(n, w->size - w->at);
        text_append(w->out, w->data + w->at, n);
        w->at += n;
}

/* What is left of the pattern as far as the first stop; all of it if there is none. */
static size_t up_to(const Writer *w, size_t from, char stop) {
        const char *found =
                w->at + from < w->size ? memchr(w->data + w->at + from, stop, w->size - w->at - from) : NULL;
        return found ? (size_t)(found - w->data) - w->at + 1 : w->size - w->at;
}

static size_t blanks(const Writer *w, size_t i) {
        while (look(w, i) == ' ' || look(w, i) == '\t')
                i++;
        return i;
}

static size_t digits(const Writer *w, size_t i) {
        while (isdigit((uint8_t)look(w, i)))
                i++;
        return i;
}

/* {2}, {2,}, {2,3}, {,3}, with blanks inside: how long it is, or 0. */
static size_t quantifier_size(const Writer *w, size_t at) {
        if (look(w, at) != '{')
                return 0;
        size_t start = blanks(w, at + 1), i = digits(w, start);
        bool any = i > start;

        i = blanks(w, i);
        if (look(w, i) == ',') {
                start = blanks(w, i + 1);
                i = digits(w, start);
                any = any || i > start;
                i = blanks(w, i);
        }
        return any && look(w, i) == '}' ? i + 1 - at : 0;
}

/* Copies a place (^, \b), which Perl lets be repeated; PCRE2 does, if it is a group. */
static void write_place(Writer *w, size_t n) {
        char next = look(w, n);
        bool repeated = (next != '\0' && strchr("*+?", next)) || quantifier_size(w, n) > 0;

        text_append_string(w->out, repeated ? "(?:" : "");
        copy(w, n);
        text_append_string(w->out, repeated ? ")" : "");
}

/* Perl quotes (\Q, \E) where it reads the text of a program, not in a pattern that comes in a variable:
 * there they are letters. */
static void write_escape(Writer *w) {
        char c = look(w, 1);

        if (c == 'Q' || c == 'E') {
                w->at++;
                copy(w, 1);
        } else if (look(w, 2) == '{' && c != '\0' && strchr("pPxogkbBN", c))
                copy(w, up_to(w, 2, '}'));
        else if (!w->in_class && c != '\0' && strchr("bBAzZG", c))
                write_place(w, 2);
        else
                copy(w, 2);
}

/* [:alpha:] in a class: its size, or 0. */
static size_t named_class(const Writer *w, size_t ahead) {
        size_t i = ahead + 2;

        if (look(w, ahead) != '[' || look(w, ahead + 1) != ':')
                return 0;
        while (isalpha((uint8_t)look(w, i)) || look(w, i) == '^')
                i++;
        return look(w, i) == ':' && look(w, i + 1) == ']' ? i + 2 - ahead : 0;
}

static bool is_class(const Writer *w, size_t ahead) {
        if (look(w, ahead) == '\\')
                return look(w, ahead + 1) != '\0' && strchr("dDwWsShHvVpP", look(w, ahead + 1));
        return named_class(w, ahead) > 0;
}

/* A hyphen beside a class is a hyphen. */
static void write_in_class(Writer *w) {
        bool class = is_class(w, 0);
        char c = look(w, 0);

        if (c == ']')
                w->in_class = false;
        if (c == '\\')
                write_escape(w);
        else if (class)
                copy(w, named_class(w, 0));
        else {
                if (c == '-' && look(w, 1) != ']' && (w->has_class || is_class(w, 1)))
                        text_append_char(w->out, '\\');
                copy(w, 1);
        }
        w->has_class = class;
}

static void open_class(Writer *w) {
        copy(w, 1);
        if (look(w, 0) == '^')
                copy(w, 1);
        else if (look(w, 0) != '\0' && strchr(":.=", look(w, 0)))
                text_append_char(w->out, '\\'); /* not the start of a name here */
        if (look(w, 0) == ']')
                copy(w, 1);
        w->in_class = true;
        w->has_class = false;
}

static void write_brace(Writer *w) {
        size_t size = quantifier_size(w, 0);

        if (w->first || size == 0) {
                if (size > 0)
                        text_append_char(w->out, '\\');
                copy(w, 1);
                return;
        }
        copy(w, 1);
        if (look(w, blanks(w, 0)) == ',')
                text_append_char(w->out, '0');
        for (size_t end = w->at + size - 1; w->at < end;)
                if (look(w, 0) == ' ' || look(w, 0) == '\t')
                        w->at++;
                else
                        copy(w, 1);
}

/* Copies the head of a group without the flags that PCRE2 does not know. */
static void open_group(Writer *w) {
        size_t end = 2;

        if (look(w, 1) != '?') {
                copy(w, 1);
                return;
        }
        while (look(w, end) != '\0' && strchr(FLAGS, look(w, end)))
                end++;
        if (look(w, end) != ':' && (look(w, end) != ')' || end == 2)) {
                copy(w, look(w, 2) == '#' ? up_to(w, 2, ')') : 1);
                return;
        }
        copy(w, 2);
        for (end -= 2; end > 0; end--)
                if (strchr(OTHER_FLAGS, look(w, 0)))
                        w->at++;
                else
                        copy(w, 1);
        copy(w, 1);
}

static void write_one(Writer *w) {
        char c = look(w, 0);

        if (w->in_class) {
                write_in_class(w);
                return;
        }
        switch (c) {
        case '\\':
                write_escape(w);
                break;
        case '[':
                open_class(w);
                break;
        case '{':
                write_brace(w);
                break;
        case '(':
                open_group(w);
                break;
        case '^':
        case '$':
                write_place(w, 1);
                break;
        default:
                copy(w, 1);
        }
        w->first = c == '(' || c == '|';
}

/* Writes until there are stop bytes; returns how far the pattern was read. */
static size_t write_to(Slice pattern, size_t stop, Text *out) {
        Writer w = { .data = pattern.data, .size = pattern.size, .out = out, .first = true };
        size_t begin = out->size;

        /* (*UTF) and its like are settings of PCRE2's, but only where a pattern begins. */
        if (pattern.size >= 2 && memcmp(pattern.data, "(*", 2) == 0)
                text_append_string(out, "(?:)");
        while (w.at < w.size && !text_failed(out)) {
                size_t at = w.at, size = out->size - begin;
                write_one(&w);
                if (out->size - begin > stop)
                        return MIN(at + (stop > size ? stop - size : 0), w.at);
        }
        return w.at;
}

void perl_pattern_write(Slice pattern, Text *ret) {
        (void)write_to(pattern, SIZE_MAX, ret);
}

size_t perl_pattern_place(Slice pattern, size_t offset) {
        _cleanup_text_ Text written = {};

        return write_to(pattern, offset, &written);
}
