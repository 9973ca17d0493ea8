/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The rewrites of a language's output: ordered rules from files, pbotvm-language(5). A pattern is compiled
 * when output first needs it. */

#include "common/json.h"
#include "language/table.h"

typedef struct Rewrites Rewrites;

/* Reads the tables that the language names, NAME.json below dir. 0; -EINVAL with "FILE:LINE: ..." in *error,
 * or -ENOMEM. A language without tables opens nothing. */
int rewrites_load(const char *dir, const Language *language, Rewrites **ret, Text *error);
Rewrites *rewrites_free(Rewrites *rewrites);
DEFINE_CLEANUP(Rewrites *, rewrites_free);

/* What rules may be bound to ("when"). */
typedef struct RewriteContext {
        const char *source;     /* stands in patterns as @source@ */
        const char *executable; /* as @executable@ */
        bool paste;             /* "paste", and "nopaste" if not */
        bool channel;           /* "channel": the answer goes to one, not to a person */
        bool unterminated;      /* "unterminated": a preprocessor line swallowed code */
} RewriteContext;

/* Applies all rules to the output, in place. Rules are bounded in steps; one that exceeds its bound is left
 * out, and so are the rest when the budget of them all is spent. 0, -EINVAL with a message in *error for a
 * pattern that is wrong, or -ENOMEM. */
int rewrites_apply(Rewrites *rewrites, const RewriteContext *context, Text *output, Text *error);
/* How many patterns were compiled so far. */
unsigned rewrites_compiled(const Rewrites *rewrites);
