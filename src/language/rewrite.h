/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ordered rewrites of output, as data: NAME.json of the rewrites directory, one table a family of languages.
 * The format is in pbotvm-language(5).
 *
 * A pattern is compiled when the text has the longest piece of plain text in it, so ordinary output costs a
 * few searches. What a program prints comes from strangers: a match is limited, and so is the time in all;
 * past it the text stays as it is by then. */

#include "common/parts.h"
#include "common/text.h"

typedef struct Rewrites Rewrites;

/* What the rules know of the request. */
typedef struct RewriteContext {
        const char *source_file;
        const char *exec_file;
        bool pasting;      /* the output goes into a document */
        bool unterminated; /* the code has a preprocessor line that swallows what follows it */
        bool public;       /* the channel begins with # */
} RewriteContext;

/* Reads the table. 0; -EINVAL (or another errno) with a line "FILE:LINE: MEMBER: what" for each mistake in
 * *errors; -ENOMEM. */
int rewrites_open(const char *directory, const char *name, Rewrites **ret, Text *errors);
Rewrites *rewrites_free(Rewrites *rewrites);
DEFINE_CLEANUP(Rewrites *, rewrites_free);

/* Applies the rules to text, which is well-formed UTF-8, each to the pieces that it is for; *parts (empty:
 * nobody said, and every rule is for all) are those of the text after it too. Ends at the deadline
 * (CLOCK_MONOTONIC, usec). 0; -EINVAL when a pattern cannot be compiled, told in *errors (the others were
 * applied); -ENOMEM. */
int rewrites_apply(Rewrites *rewrites, const RewriteContext *context, uint64_t deadline, Text *text,
        Parts *parts, Text *errors);

/* The longest piece of plain text that whatever matches the pattern contains, as far as that is easy to see;
 * empty when it is not. */
void pattern_literal(const char *pattern, Text *ret);
