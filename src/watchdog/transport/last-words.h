/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The last lines that a guest told of its own journal: a ring, so however much it says takes the same. They
 * are for people who wonder why it hung, and nothing in them is looked at. */

#include "common/macro.h"

#define LAST_WORDS_LINES 16
#define LAST_WORDS_SIZE 184

typedef struct LastWords {
        char lines[LAST_WORDS_LINES][LAST_WORDS_SIZE + 1];
        size_t n;     /* how many came */
        size_t taken; /* how many of them were told */
} LastWords;

/* Keeps a line, cut at LAST_WORDS_SIZE bytes, in place of the oldest one. */
void last_words_add(LastWords *words, const char *line);
/* The oldest line that was not told yet, which is then, or NULL. */
const char *last_words_take(LastWords *words);
