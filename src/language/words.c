/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/words.h"

void words_done(Words *words) {
        for (size_t i = 0; i < words->n; i++)
                free(words->items[i].data);
        free(words->items);
        *words = (Words){};
}

static void words_add(Words *words, const Text *token) {
        if (words->n == words->allocated) {
                size_t n = MAX((size_t)16, words->allocated * 2);
                Word *items = reallocarray(words->items, n, sizeof(*items));
                if (!items) {
                        words->failed = true;
                        return;
                }
                words->items = items;
                words->allocated = n;
        }
        char *item = bytes_dup(text_string(token), token->size);
        if (!item)
                words->failed = true;
        else
                words->items[words->n++] = (Word){ item, token->size };
}

/* The state of the splitter; the names are those of the description that it follows. */
typedef struct Splitter {
        Words *words;
        Text token;
        char quote;   /* the open quote, or 0 */
        bool seen;    /* something other than white space has come */
        bool pending; /* white space ended the token; the next other character begins a new one */
        bool backslash;
        bool ignore; /* the next quote is an ordinary character: it has no partner */
        unsigned spaces;
        size_t quote_at; /* where the open quote stands, and the token before it */
        size_t quote_token;
} Splitter;

static void flush(Splitter *s) {
        if (!s->pending)
                return;
        words_add(s->words, &s->token);
        text_clear(&s->token);
        s->pending = false;
}

static void on_quote(Splitter *s, char c, size_t at) {
        s->seen = true;
        flush(s);
        if (s->ignore)
                s->ignore = false;
        else {
                s->quote = c;
                s->quote_at = at;
                s->quote_token = s->token.size;
        }
        text_append_char(&s->token, c);
}

static void on_space(Splitter *s, char c) {
        s->spaces++;
        if (s->spaces > 1 || c != ' ')
                text_append_char(&s->token, c);
        if (s->spaces == 1 && s->seen)
                s->pending = true;
}

static void on_character(Splitter *s, char c, size_t at) {
        if (c != ' ')
                s->spaces = 0;
        if (s->backslash) {
                flush(s);
                text_append_char(&s->token, '\\');
                text_append_char(&s->token, c);
                s->backslash = false;
        } else if (c == '\\') {
                s->seen = true;
                s->backslash = true;
        } else if (s->quote) {
                text_append_char(&s->token, c);
                if (c == s->quote)
                        s->quote = 0;
        } else if (c == '\'' || c == '"')
                on_quote(s, c, at);
        else if (c == ' ' || c == '\n' || c == '\t')
                on_space(s, c);
        else {
                flush(s);
                s->seen = true;
                text_append_char(&s->token, c);
        }
}

int words_split(const char *line, size_t size, Words *ret) {
        _cleanup_words_ Words words = {};
        Splitter s = { .words = &words };

        for (size_t i = 0; size > 0;) {
                for (; i < size; i++)
                        on_character(&s, line[i], i);
                if (!s.quote)
                        break;

                /* No partner: again from the quote, as an ordinary character. Each time the place moves on,
                 * so that a line of n quotes costs n passes at most. */
                i = s.quote_at;
                text_truncate(&s.token, s.quote_token);
                s.quote = 0;
                s.ignore = true;
        }
        if (size > 0) {
                if (s.backslash)
                        text_append_char(&s.token, '\\');
                words_add(&words, &s.token);
        }

        bool failed = text_failed(&s.token) || words.failed;
        text_done(&s.token);
        if (failed)
                return -ENOMEM;
        *ret = words;
        words = (Words){};
        return 0;
}

void words_remove(Words *words, size_t from, size_t n) {
        for (size_t i = from; i < from + n; i++)
                free(words->items[i].data);
        memmove(words->items + from, words->items + from + n, (words->n - from - n) * sizeof(*words->items));
        words->n -= n;
}

void words_join(const Words *words, Text *line) {
        bool after_newline = false;

        for (size_t i = 0; i < words->n; i++) {
                const char *p = words->items[i].data, *end = p + words->items[i].size;
                if (i > 0 && !after_newline)
                        text_append_char(line, ' ');
                after_newline = i > 0 ? false : after_newline;

                for (; p < end; p++) {
                        if (*p == ' ' && after_newline) {
                                after_newline = false;
                                continue;
                        }
                        text_append_char(line, *p);
                        after_newline = *p == '\n';
                }
        }
}
