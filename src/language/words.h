/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Splitting a line into words the way PBot does: white space inside and behind words is kept, so that
 * joining the words with single spaces gives back the line, but for a blank after a newline. */

#include "common/text.h"

typedef struct Word {
        char *data; /* a NUL behind; there may be more in it */
        size_t size;
} Word;

typedef struct Words {
        Word *items;
        size_t n, allocated;
        bool failed;
} Words;

void words_done(Words *words);
#define _cleanup_words_ _cleanup_(words_done)

/* Splits size bytes. 0 or -ENOMEM. Empty input has no words. */
int words_split(const char *line, size_t size, Words *ret);
/* Removes the words [from, from + n). */
void words_remove(Words *words, size_t from, size_t n);
/* Appends the words joined by spaces; each newline followed by a space becomes a newline alone. */
void words_join(const Words *words, Text *line);
