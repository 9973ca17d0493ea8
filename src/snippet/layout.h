/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes pieces of a source as PBot lays them out: a line for each statement, at most three empty lines.
 * White space alone changes; tokens and comments come out as they are. */

#include "snippet/pieces.h"

typedef struct Layout {
        const Source *source;
        Text *to;
        unsigned newlines; /* at the end of what was written */
} Layout;

/* What is no part of the source. */
void layout_string(Layout *layout, const char *string);
/* The white space and the comments between two tokens. */
void layout_gap(Layout *layout, size_t begin, size_t end);
/* Where the first comment of a gap begins; end if it has none. */
size_t layout_gap_comment(const Layout *layout, size_t begin, size_t end);
/* Where the line in which a gap ends begins, comments of that line left out; not before begin. */
size_t layout_gap_line(const Layout *layout, size_t begin, size_t end);
/* Tokens, and what stands between them. */
void layout_tokens(Layout *layout, uint32_t first, uint32_t end);
void layout_newline(Layout *layout);
/* Begins a line unless one has just begun. */
void layout_line(Layout *layout);
/* Takes white space at the end away. */
void layout_trim(Layout *layout);
