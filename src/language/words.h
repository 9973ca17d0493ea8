/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A line in words, and words in a line again. Quotes and backslashes are understood but stay, white space is
 * kept wherever possible: the first space of a run separates, the rest belongs to the word before; a newline
 * or tab belongs to it too. */

#include "common/text.h"

typedef struct Word {
        size_t start, end; /* in Words.text */
        bool tab;          /* its white space, all kept in it, has a tab on its last line */
} Word;

typedef struct Words {
        Text text;
        Word *items;
        size_t n;
        size_t allocated;
} Words;
void words_done(Words *words);
#define _cleanup_words_ _cleanup_(words_done)

/* Splits line. 0 or -ENOMEM. */
int words_split(const char *line, size_t size, Words *ret);

static inline const char *word_data(const Words *words, size_t i) {
        return text_string(&words->text) + words->items[i].start;
}
static inline size_t word_size(const Words *words, size_t i) {
        return words->items[i].end - words->items[i].start;
}

/* Appends the words that are not taken (an array of n flags; NULL: all), joined by spaces. */
void words_join(const Words *words, const bool *taken, Text *line);

/* The closing quote of the one at data[i], or 0 when there is none. A backslash escapes what follows it. */
size_t quote_end(const char *data, size_t size, size_t i);
