/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* UTF-8 as PBot reads it (strict, in whole malformed units), and the white space of Unicode. */

#include "common/text.h"

/* Looks at the first character of size > 0 bytes. Returns the length of the unit, at least 1: a well-formed
 * character, whose code point is stored in *ret, or a malformed unit, when *ret is UINT32_MAX. A malformed
 * unit is a lead byte (F8-FF included) and as many continuation bytes as follow, up to the length that it
 * announces, or one stray continuation byte. Surrogates, overlong forms, code points past U+10FFFF and
 * noncharacters are malformed. */
size_t utf8_unit(const char *data, size_t size, uint32_t *ret);

/* Appends data to *text with each malformed unit replaced by U+FFFD. */
void utf8_append_valid(Text *text, const char *data, size_t size);

/* Appends data to *text with each malformed unit replaced by two backslashes, an x and the two upper-case
 * hex digits of its first byte: inside a JSON string a reader then sees \xHH. */
void utf8_append_escaped(Text *text, const char *data, size_t size);

/* Copies what others wrote into a message of one line: as many whole characters as fit into size bytes with
 * the NUL behind them, control characters and malformed units replaced by '?'. */
void utf8_copy_line(char *ret, size_t size, const char *string);

/* Appends one code point. */
void utf8_append(Text *text, uint32_t c);

/* The White_Space property of Unicode (U+0085, U+00A0, U+3000 ... included). */
bool unicode_is_space(uint32_t c);

/* Control characters: of ASCII, and U+0080 to U+009F, which terminals obey too. */
bool unicode_is_control(uint32_t c);

/* Letters, marks, decimal digits and connectors of Unicode, which identifiers are made of. False for what is
 * malformed (UINT32_MAX). */
bool unicode_is_word(uint32_t c);
/* The same for ASCII alone. */
static inline bool ascii_is_word(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
/* A byte of a word, where every character beyond ASCII is taken for one of a word. */
static inline bool byte_is_word(char c) {
        return ascii_is_word(c) || (uint8_t)c >= 0x80;
}

/* How many bytes remain when Unicode white space at the end is left out. data is well-formed UTF-8. */
size_t utf8_trimmed_size(const char *data, size_t size);
