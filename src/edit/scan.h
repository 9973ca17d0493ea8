/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A cursor on UTF-8 text that takes words, white space and quoted parts. Each scan_ function that returns a
 * bool leaves the cursor where it was when it returns false. */

#include "edit/command.h"

typedef struct Scan {
        const char *at, *end;
} Scan;

static inline size_t scan_left(const Scan *scan) {
        return (size_t)(scan->end - scan->at);
}

/* Takes white space (Unicode's); returns how many bytes. */
size_t typed_spaces(Scan *scan);
/* Takes everything up to white space; returns how many bytes. */
size_t typed_non_spaces(Scan *scan);
/* Takes everything up to a space, other white space too: so far reaches an option, or the flags of s///. */
size_t typed_to_space(Scan *scan);
/* Takes a word that is there, in lower case or, if any_case, in any. */
bool typed_word(Scan *scan, const char *word, bool any_case);
/* True at the end and before anything that cannot go on a word. */
bool typed_at_word_end(const Scan *scan);
/* Takes white space and, where white space follows it, "and". Always succeeds. */
void scan_and(Scan *scan, bool any_case);
/* Takes optional white space and a part between two delimiters, in which a backslash escapes any character
 * and stays. */
bool typed_delimited(Scan *scan, char delimiter, Slice *ret);
/* Appends such a part as it was meant: the escaped delimiter is the delimiter, other escapes stay. */
void typed_append(Text *text, Slice part, char delimiter);
