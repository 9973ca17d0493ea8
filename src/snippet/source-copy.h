/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Copies of a program without its comments, in which structure can be searched. */

#include "common/text.h"

typedef struct SourceCopy {
        Text masked;      /* no comments, the contents of literals replaced by '-' */
        Text plain;       /* no comments; its offsets are those of masked */
        uint32_t *origin; /* for each offset of the two, and their end, where it is in the source */
} SourceCopy;
void source_copy_done(SourceCopy *copy);
#define _cleanup_source_copy_ _cleanup_(source_copy_done)

/* A line comment goes with its newline, a block comment becomes a space; one that does not end stays. With
 * block_comments_first a block comment can begin inside a line comment. 0 or -ENOMEM. */
int source_copy_make(const Text *source, bool block_comments_first, SourceCopy *ret);

/* Appends the source from an offset outside of comments on, each block comment as one space; what is line
 * comment stays. 0 or -ENOMEM. */
int source_append_rest(const Text *source, size_t from, bool block_comments_first, Text *ret);

/* Whether the source in [begin, end), begin outside of comments and literals, is nothing but white space and
 * whole line comments. */
bool source_is_line_comments(const Text *source, size_t begin, size_t end);
