/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One pass over the code that knows literals, parentheses and directives. It only marks where newlines are
 * to be, since an include directive can send it back (see include_quoted()). Comments are not known: an
 * apostrophe in one opens a literal. That is PBot's way, and what its users expect of `// don't`. */

#include "snippet/scan.h"
#include "snippet/stages.h"

/* An include directive behind which the scan goes on can lie before the place where it was asked for. */
#define BACK_MAX 64

enum {
        MARK_BEHIND = 1 << 0, /* a newline behind this character */
        MARK_ESCAPE = 1 << 1, /* this backslash and the n behind it are a newline */
        MARK_GONE = 1 << 2,   /* nothing in place of this character */
};

typedef enum CommentState {
        COMMENT_OUTSIDE,
        COMMENT_BEGUN, /* and no ; yet */
        COMMENT_SPLIT, /* its first ; is dropped */
} CommentState;

typedef struct LineScanner {
        const char *data;
        size_t size;
        bool java;
        uint8_t *marks;
        char quote; /* of the literal that is open, or 0 */
        size_t depth;
        bool directive;
        bool escaped;
        bool after_statement;  /* nothing but white space since the last ; */
        CommentState comment;  /* of a line comment of Java behind a ; */
        bool no_more_brackets; /* no include <...> without a newline is ahead */
        size_t quoted_from;    /* none of include "..." without a newline lies before */
        unsigned backs;
} LineScanner;

static bool newline_follows(const LineScanner *s, size_t i) {
        return i + 1 < s->size && (s->data[i + 1] == '\n' || s->data[i + 1] == '\r');
}

static void newline_behind(LineScanner *s, size_t i) {
        if (!newline_follows(s, i))
                s->marks[i] |= MARK_BEHIND;
}

/* One that was typed, or one that was put there meanwhile. */
static bool newline_is_at(const LineScanner *s, size_t i) {
        return s->data[i] == '\n' || (s->marks[i] & (MARK_BEHIND | MARK_ESCAPE));
}

/* The closing character of the first include from i on, in the given kind of brackets, that no newline
 * follows; SIZE_MAX if there is none. */
static size_t include_end(const LineScanner *s, size_t i, char open, char close) {
        while ((i = scan_find(s->data, s->size, i, "include")) != SIZE_MAX) {
                i += strlen("include");
                size_t k = scan_skip_space(s->data, s->size, i);
                if (k == s->size || s->data[k] != open)
                        continue;
                for (k++; k < s->size && s->data[k] != close && !newline_is_at(s, k);)
                        k++;
                if (k == s->size || s->data[k] != close) {
                        i = k; /* nor does any other in this line end */
                        continue;
                }
                if (!(s->marks[k] & MARK_BEHIND) && !(k + 1 < s->size && s->data[k + 1] == '\n'))
                        return k;
        }
        return SIZE_MAX;
}

/* Takes the next include <...> anywhere ahead. */
static size_t include_bracketed(LineScanner *s, size_t i) {
        size_t end = s->no_more_brackets ? SIZE_MAX : include_end(s, i, '<', '>');

        s->no_more_brackets = end == SIZE_MAX;
        return end;
}

/* Takes the first include "..." of the whole code. */
static size_t include_quoted(LineScanner *s, size_t i) {
        size_t end = include_end(s, s->quoted_from, '"', '"');

        s->quoted_from = end == SIZE_MAX ? s->size : end;
        if (end >= i)
                return end;
        s->no_more_brackets = false;
        return ++s->backs > BACK_MAX ? SIZE_MAX : end;
}

/* At a # that begins a directive. Returns where the scan goes on. */
static size_t directive_begin(LineScanner *s, size_t i) {
        size_t end = include_bracketed(s, i);

        if (end == SIZE_MAX)
                end = include_quoted(s, i);
        if (end == SIZE_MAX) {
                s->directive = true;
                return i + 1;
        }
        s->marks[end] |= MARK_BEHIND;
        return end + 1;
}

/* At a ; that ends a statement, or would but for the comment it is in. PBot splits a comment behind a
 * statement at its first ; too, and drops that when it tidies up Java, which joins the two again. */
static void statement_end(LineScanner *s, size_t i) {
        if (s->comment == COMMENT_BEGUN && !newline_follows(s, i) && i + 1 < s->size) {
                s->comment = COMMENT_SPLIT;
                s->marks[i] |= MARK_GONE;
        } else
                newline_behind(s, i);
}

static void comment_follow(LineScanner *s, size_t i) {
        if (s->data[i] == '\n')
                s->comment = COMMENT_OUTSIDE;
        else if (s->java && s->comment == COMMENT_OUTSIDE && s->after_statement &&
                 scan_at(s->data, s->size, i, "//"))
                s->comment = COMMENT_BEGUN;
        if (s->data[i] == ';')
                s->after_statement = true;
        else if (scan_space(s->data, s->size, i) == 0)
                s->after_statement = false;
}

/* At a character outside of literals. Returns where the scan goes on. */
static size_t scan_plain(LineScanner *s, size_t i) {
        comment_follow(s, i);
        switch (s->data[i]) {
        case '#':
                if (!s->java && !s->directive && !s->escaped)
                        return directive_begin(s, i);
                break;
        case '\n':
                if (!s->escaped)
                        s->directive = false;
                break;
        case '(':
                s->depth++;
                break;
        case ')':
                if (s->depth > 0)
                        s->depth--;
                break;
        case ';':
                if (!s->directive && s->depth == 0)
                        statement_end(s, i);
                break;
        case '{':
                if (s->java)
                        newline_behind(s, i);
                break;
        case '}':
                if (s->java && !scan_at(s->data, s->size, i + 1, ";"))
                        newline_behind(s, i);
                break;
        case 'n':
                if (s->escaped) {
                        s->marks[i - 1] |= MARK_ESCAPE;
                        s->marks[i] |= MARK_GONE;
                        s->directive = false;
                }
                break;
        }
        return i + 1;
}

static size_t scan_one(LineScanner *s, size_t i) {
        const char c = s->data[i];
        const bool escaped = s->escaped;

        if (c == '\\') {
                s->escaped = !escaped;
                return i + 1;
        }
        if ((c == '"' || c == '\'') && !escaped && (s->quote == 0 || s->quote == c))
                s->quote = s->quote == 0 ? c : 0;

        size_t next = s->quote == 0 ? scan_plain(s, i) : i + 1;
        s->escaped = false;
        return next;
}

int newlines_complete(const Text *code, bool java, Text *ret) {
        _cleanup_free_ uint8_t *marks = calloc(code->size + 1, 1);
        LineScanner scanner = { .data = code->data, .size = code->size, .java = java, .marks = marks };
        _cleanup_text_ Text text = {};

        if (!marks)
                return -ENOMEM;

        for (size_t i = 0; i < code->size;)
                i = scan_one(&scanner, i);

        for (size_t i = 0; i < code->size; i++) {
                if (!(marks[i] & MARK_GONE))
                        text_append_char(&text, marks[i] & MARK_ESCAPE ? '\n' : code->data[i]);
                if (marks[i] & MARK_BEHIND)
                        text_append_char(&text, '\n');
        }
        if (text_failed(&text))
                return -ENOMEM;
        text_move(ret, &text);
        return 0;
}
