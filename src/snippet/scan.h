/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Characters and literals of C-like code. Offsets are bytes; a character outside ASCII counts as one. */

#include "common/text.h"

/* The length of the white space or word character at data[i], 0 if there is none of that kind. */
size_t scan_space(const char *data, size_t size, size_t i);
size_t scan_word(const char *data, size_t size, size_t i);

/* The offset of the first character from i on that is no white space (or no word character); size if none.
 */
size_t scan_skip_space(const char *data, size_t size, size_t i);
size_t scan_skip_word(const char *data, size_t size, size_t i);

/* The offset of needle from i on, SIZE_MAX if it is not there. */
size_t scan_find(const char *data, size_t size, size_t i, const char *needle);
bool scan_contains(const char *data, size_t size, const char *needle);
/* data[i...] begins with needle. */
bool scan_at(const char *data, size_t size, size_t i, const char *needle);

/* The next whole word from *i on: true with its bounds, *i behind it; false at the end. */
typedef struct Span {
        size_t begin, end;
} Span;
bool scan_next_word(const char *data, size_t size, size_t *i, Span *ret);
bool span_equals(const char *data, Span span, const char *string);
/* The span without white space at its ends. */
Span span_trim(const char *data, Span span);

/* White space at both ends is cut off. */
void text_trim(Text *text);

/* Whether the newline at data[i] is escaped: an odd number of backslashes stands before it. */
bool scan_continued(const char *data, size_t i);

/* The length of the literal at data[i], 0 if none begins there: it is closed within its line by the first
 * quote without a backslash before it; when there is none, by the last one that has. */
size_t literal_length(const char *data, size_t size, size_t i);

/* A copy of the same size with the contents of literals replaced by '-': first those in double quotes, then
 * those in single ones, each within its line. As PBot has it, a backslash protects nothing but the quote
 * behind it, and comments are not known. 0 or -ENOMEM. */
int literals_mask(const char *data, size_t size, Text *ret);
