/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/words.h"

typedef struct Splitter {
        Words *words;
        size_t start;                 /* of the word that is being read */
        char quote;                   /* the one that is open, or 0 */
        bool seen;                    /* the word has begun */
        bool pending;                 /* the word has ended: emit it before what follows */
        bool kept;                    /* what ended it is part of it: it was no space */
        bool tab;                     /* see Word */
        bool escaped;                 /* the character before was a backslash */
        bool ignore;                  /* the next quote is an ordinary character */
        size_t spaces;                /* in a row */
        size_t opened_at, saved_size; /* where the open quote began, in the line and in the text */
} Splitter;

void words_done(Words *words) {
        text_done(&words->text);
        free(words->items);
        *words = (Words){};
}

static void emit(Splitter *s) {
        Words *words = s->words;

        if (words->n == words->allocated) {
                size_t n = words->allocated > 0 ? words->allocated * 2 : 32;
                Word *items = reallocarray(words->items, n, sizeof(*items));
                if (!items) {
                        words->text.failed = true;
                        return;
                }
                words->items = items;
                words->allocated = n;
        }
        words->items[words->n++] = (Word){ .start = s->start, .end = words->text.size, .tab = s->tab };
        s->start = words->text.size;
        s->pending = s->tab = false;
}

static void flush(Splitter *s) {
        if (s->pending)
                emit(s);
}

static void read_quote(Splitter *s, char c, size_t at) {
        s->seen = true;
        flush(s);
        if (s->ignore)
                s->ignore = false;
        else {
                s->quote = c;
                s->opened_at = at;
                s->saved_size = s->words->text.size;
        }
        text_append_char(&s->words->text, c);
}

static void read_space(Splitter *s, char c) {
        s->spaces++;
        if (s->spaces > 1) {
                text_append_char(&s->words->text, c);
                return;
        }
        if (c != ' ')
                text_append_char(&s->words->text, c);
        if (!s->seen)
                return;
        if (!s->pending)
                s->kept = c != ' ';
        s->tab = c == '\t' && s->kept;
        s->pending = true;
}

static void read_char(Splitter *s, char c, size_t at) {
        Text *text = &s->words->text;

        if (c != ' ')
                s->spaces = 0;

        if (s->escaped) {
                flush(s);
                text_append_char(text, '\\');
                text_append_char(text, c);
                s->escaped = false;
        } else if (c == '\\')
                s->seen = s->escaped = true;
        else if (s->quote) {
                text_append_char(text, c);
                if (c == s->quote)
                        s->quote = 0;
        } else if (c == '"' || c == '\'')
                read_quote(s, c, at);
        else if (c == ' ' || c == '\n' || c == '\t')
                read_space(s, c);
        else {
                flush(s);
                s->seen = true;
                text_append_char(text, c);
        }
}

int words_split(const char *line, size_t size, Words *ret) {
        _cleanup_words_ Words words = {};
        Splitter s = { .words = &words };

        for (size_t i = 0; i < size; i++) {
                read_char(&s, line[i], i);

                /* A quote that is never closed is an ordinary character, an apostrophe: read it again.
                 * Behind it there is none of its kind any more, so this happens a few times at most. */
                if (i + 1 == size && s.quote) {
                        i = s.opened_at - 1;
                        text_truncate(&words.text, s.saved_size);
                        s.quote = 0;
                        s.ignore = true;
                }
        }
        if (size > 0) {
                if (s.escaped)
                        text_append_char(&words.text, '\\');
                emit(&s);
        }

        if (text_failed(&words.text))
                return -ENOMEM;
        *ret = words;
        words = (Words){};
        return 0;
}

void words_join(const Words *words, const bool *taken, Text *line) {
        const Word *last = NULL;
        _cleanup_text_ Text joined = {};

        for (size_t i = 0; i < words->n; i++) {
                if (taken && taken[i])
                        continue;
                if (last && !last->tab)
                        text_append_char(&joined, ' ');
                last = &words->items[i];
                text_append(&joined, word_data(words, i), word_size(words, i));
        }

        /* A newline ended its word and stayed in it: the space of the joining is one too many. */
        const char *data = text_string(&joined);
        for (size_t i = 0, from = 0; i < joined.size; i++)
                if (i + 1 == joined.size || (data[i] == '\n' && data[i + 1] == ' ')) {
                        text_append(line, data + from, i + 1 - from);
                        from = i + 2;
                        i += i + 1 < joined.size;
                }
        if (text_failed(&joined))
                line->failed = true;
}

size_t quote_end(const char *data, size_t size, size_t i) {
        for (size_t k = i + 1; k < size; k++)
                if (data[k] == '\\')
                        k++;
                else if (data[k] == data[i])
                        return k;
        return 0;
}
