/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A list of words: arguments of a program, and how a request's text becomes one. */

#include "common/text.h"

/* A zeroed list is a valid empty one. Failure sticks, as it does in a Text. */
typedef struct Words {
        char **items; /* NULL-terminated once anything was added */
        size_t n;
        bool failed;
} Words;

void words_done(Words *words);
#define _cleanup_words_ _cleanup_(words_done)

/* Adds a copy of size bytes. */
void words_add(Words *words, const char *data, size_t size);
void words_add_string(Words *words, const char *string);
/* Adds copies of a NULL-terminated array's strings; NULL has none. */
void words_add_strings(Words *words, char **strings);
/* 0 or -ENOMEM. */
int words_error(const Words *words);
/* Hands the NULL-terminated array over; NULL when memory was out. */
char **words_steal(Words *words);

/* Frees a NULL-terminated array and its strings. */
void strings_free(char **strings);
bool strings_contain(char **strings, const char *word);

/* What a backslash does outside of the splitting itself, where it takes the meaning from what follows. */
typedef enum SplitBackslash {
        SPLIT_KEEP_BACKSLASH, /* arguments of the default runner */
        SPLIT_DROP_BACKSLASH, /* arguments and command line of the C runner */
} SplitBackslash;

/* Splits as PBot's guest of 2026 does: white space separates; a quote counts anywhere if its partner
 * follows, and vanishes with it; one without a partner, and a backslash at the end, is an ordinary
 * character. Blanks alone are one empty word, an empty text none. Adds to *ret; 0 or -ENOMEM. */
int words_split(const char *text, SplitBackslash backslash, Words *ret);
