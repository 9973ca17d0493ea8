/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/scan.h"

#include <ctype.h>

#include "common/utf8.h"

static bool is_word(char c) {
        return byte_is_word(c) || c == '$';
}

static bool at(const Scanner *s, const char *what) {
        size_t n = strlen(what);

        return (size_t)(s->end - s->p) >= n && memcmp(s->p, what, n) == 0;
}

/* A backslash and a newline are nothing. */
static bool skip_splice(Scanner *s) {
        size_t n = at(s, "\\\n") ? 2 : at(s, "\\\r\n") ? 3 : 0;

        s->p += n;
        return n > 0;
}

static void skip_line(Scanner *s) {
        while (s->p < s->end && *s->p != '\n')
                if (!skip_splice(s))
                        s->p++;
}

static void skip_behind(Scanner *s, const char *close, size_t size) {
        const char *p = memmem(s->p, (size_t)(s->end - s->p), close, size);

        s->p = p ? p + size : s->end;
}

/* White space and comments. */
static void skip_blank(Scanner *s) {
        while (s->p < s->end) {
                if (skip_splice(s))
                        continue;
                if (at(s, "//"))
                        skip_line(s);
                else if (at(s, "/*")) {
                        s->p += 2;
                        skip_behind(s, "*/", 2);
                } else if (isspace((unsigned char)*s->p)) {
                        if (*s->p == '\n')
                                s->within_line = false;
                        s->p++;
                } else
                        return;
        }
}

/* Behind the quote that opens it. */
static void skip_quoted(Scanner *s, char quote) {
        while (s->p < s->end && *s->p != '\n') {
                if (skip_splice(s))
                        continue;
                if (*s->p == quote) {
                        s->p++;
                        return;
                }
                s->p += *s->p == '\\' && s->p + 1 < s->end && s->p[1] != '\n' ? 2 : 1;
        }
}

/* Behind R": a delimiter of at most 16 characters up to a parenthesis, and all up to that again. */
static bool skip_raw(Scanner *s) {
        char close[20] = ")";
        size_t n = 0;

        while (s->p + n < s->end && n <= 16 && !strchr("() \\\t\v\f\n\"", s->p[n]))
                n++;
        if (s->p + n >= s->end || n > 16 || s->p[n] != '(')
                return false;
        memcpy(close + 1, s->p, n);
        close[n + 1] = '"';
        s->p += n + 1;
        skip_behind(s, close, n + 2);
        return true;
}

static void skip_number(Scanner *s) {
        for (; s->p < s->end; s->p++) {
                char before = s->p[-1];
                bool exponent = strchr("eEpP", before) && (*s->p == '+' || *s->p == '-');
                bool separator = *s->p == '\'' && s->p + 1 < s->end && isalnum((unsigned char)s->p[1]);

                if (!is_word(*s->p) && *s->p != '.' && !exponent && !separator)
                        return;
        }
}

static bool is_prefix(const char *word, size_t size, bool *ret_raw) {
        static const char *const prefixes[] = { "L", "u", "U", "u8" };

        *ret_raw = size > 0 && word[size - 1] == 'R';
        size -= *ret_raw;
        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++)
                if (strlen(prefixes[i]) == size && memcmp(prefixes[i], word, size) == 0)
                        return true;
        return size == 0;
}

/* A word, or, if it is the prefix of a literal, that. */
static TokenKind skip_word(Scanner *s) {
        const char *start = s->p;
        bool raw;

        while (s->p < s->end && is_word(*s->p))
                s->p++;
        if (s->p == s->end || (*s->p != '"' && *s->p != '\'') ||
                !is_prefix(start, (size_t)(s->p - start), &raw) || (raw && *s->p == '\''))
                return TOKEN_WORD;
        char quote = *s->p++;
        if (!raw || !skip_raw(s))
                skip_quoted(s, quote);
        return quote == '"' ? TOKEN_STRING : TOKEN_CHARACTER;
}

static TokenKind skip_token(Scanner *s, bool first) {
        char c = *s->p;

        if (isdigit((unsigned char)c) ||
                (c == '.' && s->p + 1 < s->end && isdigit((unsigned char)s->p[1]))) {
                s->p++;
                skip_number(s);
                return TOKEN_NUMBER;
        }
        if (is_word(c))
                return skip_word(s);
        s->p += at(s, "->") || at(s, "::") ? 2 : 1;
        if (c == '"' || c == '\'') {
                skip_quoted(s, c);
                return c == '"' ? TOKEN_STRING : TOKEN_CHARACTER;
        }
        return c == '#' && first ? TOKEN_HASH : TOKEN_OTHER;
}

Token scan(Scanner *scanner) {
        Token token = { .kind = TOKEN_END };

        skip_blank(scanner);
        token.data = scanner->p;
        token.first = !scanner->within_line;
        if (scanner->p == scanner->end)
                return token;
        scanner->within_line = true;
        token.kind = skip_token(scanner, token.first);
        token.size = (size_t)(scanner->p - token.data);
        return token;
}

bool token_is(const Token *token, const char *text) {
        return strlen(text) == token->size && memcmp(text, token->data, token->size) == 0;
}
