/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A program while it is put together. */

#include "snippet/layout.h"
#include "snippet/placement.h"
#include "snippet/snippet.h"

typedef struct Program {
        const SnippetStyle *style;
        const SnippetOptions *options;
        Text code; /* of the user, his -include in front */
        Source source;
        Pieces pieces;
        Placement placement;
        Text text;       /* what comes out */
        Layout layout;   /* writes to it */
        size_t head_end; /* how far the source went into the head */
} Program;
void program_done(Program *program);
#define _cleanup_program_ _cleanup_(program_done)

/* Reads the code. SNIPPET_COMPLETE, SNIPPET_UNBALANCED or -ENOMEM. */
int program_read(
        Program *program, const Text *code, const SnippetStyle *style, const SnippetOptions *options);

/* What the code begins with: directives, usings, imports. */
void program_head(Program *program);
/* What goes to the top level; what stands before a piece that is to be a member of a Java class is static.
 */
void program_top_level(Program *program, bool members);
/* The body of main(), with the last expression shown if that is asked for, its end supplied. */
void program_body(Program *program, bool show);
/* The comments behind the last piece. */
void program_tail(Program *program);
/* Hands the text over. 0 or -ENOMEM. */
int program_finish(Program *program, Text *ret);
