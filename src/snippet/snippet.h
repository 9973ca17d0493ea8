/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A snippet of C or Java becomes a program: headers, hoisted functions, main. Text in, text out; nothing is
 * read or written. The rules are the facts of tests/compat (areas c-wrap, preproc, java). */

#include "common/text.h"

typedef struct SnippetStyle {
        const char *prelude;      /* the language's headers, each line ended, then an empty line; "": none */
        bool force_prelude;       /* include <prelude.h> is added where it is missing */
        bool wrap_last_statement; /* the last expression goes into print_last_statement() */
        bool block_comments_first; /* C89: // is no comment inside a block comment */
} SnippetStyle;

typedef struct SnippetOptions {
        bool no_main;
        bool no_headers;
        Text includes; /* "#include <NAME> " for each -include NAME */
} SnippetOptions;
void snippet_options_done(SnippetOptions *options);

/* Takes -nomain, -noheaders and, if includes is true (C, not Java), -include NAME out of the code. */
int snippet_take_options(Text *code, bool includes, SnippetOptions *ret);

typedef enum SnippetResult {
        SNIPPET_COMPLETE,
        SNIPPET_UNBALANCED, /* the answer is "error: unmatched brackets" */
} SnippetResult;

/* Completes a C or C++ snippet (prepared: see prepare.h) to a program, unformatted. Returns a SnippetResult,
 * or -ENOMEM. *ret_unterminated is set when a preprocessor line swallows what follows it (a warning for the
 * client). */
int snippet_complete_c(const Text *code, const SnippetStyle *style, const SnippetOptions *options, Text *ret,
        bool *ret_unterminated);
/* The same for Java; style's prelude alone counts. */
int snippet_complete_java(
        const Text *code, const SnippetStyle *style, const SnippetOptions *options, Text *ret);

/* The formatter of the C family: libastyle, loaded when opened, so that no other language pays for it. */
typedef struct Formatter Formatter;
/* 0, or -ENOENT when the library is not there (the program is then sent unformatted), or -ENOMEM. */
int formatter_open(Formatter **ret);
Formatter *formatter_free(Formatter *formatter);
DEFINE_CLEANUP(Formatter *, formatter_free);
/* Formats *program in place; where the formatter refuses, the text stays as it is. 0 or -ENOMEM. */
int formatter_run(Formatter *formatter, Text *program);
