/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A snippet of C or Java becomes a program: headers, hoisted functions, main. Text in, text out; nothing is
 * read or written. The rules are the facts of tests/compat (areas c-wrap, preproc, java). */

#include "snippet/token.h"

typedef struct SnippetStyle {
        Dialect dialect;
        const char *prelude;      /* the language's headers, each line ended, then an empty line; "": none */
        bool force_prelude;       /* include <prelude.h> is added where it is missing */
        bool wrap_last_statement; /* the last expression goes into print_last_statement() */
        bool line_comments;       /* false in C89, where // before a * is a division */
} SnippetStyle;

typedef struct SnippetOptions {
        bool no_main;
        bool no_headers;
        Text includes; /* "#include <NAME> " for each -include NAME */
} SnippetOptions;
void snippet_options_done(SnippetOptions *options);

/* Takes -nomain, -noheaders and, but in Java, -include NAME out of the code. 0, -ENOMEM or -E2BIG. */
int snippet_take_options(Text *code, Dialect dialect, SnippetOptions *ret);

typedef enum SnippetResult {
        SNIPPET_COMPLETE,
        SNIPPET_UNBALANCED, /* the answer is "error: unmatched brackets" */
} SnippetResult;

/* Completes a C or C++ snippet (prepared: see prepare.h) to a program, unformatted. Returns a SnippetResult,
 * -ENOMEM, or -E2BIG from 1 GiB on. *ret_unterminated is set when a preprocessor line swallows what follows
 * it (a warning for the client). */
int snippet_complete_c(const Text *code, const SnippetStyle *style, const SnippetOptions *options, Text *ret,
        bool *ret_unterminated);

/* What a whole program of Java calls itself; empty where the language's own names are right. */
typedef struct JavaNames {
        Text file;    /* its public class, after which its file is to be named */
        Text program; /* the class with main() */
} JavaNames;
void java_names_done(JavaNames *names);

/* The same for Java; style's prelude alone counts. */
int snippet_complete_java(const Text *code, const SnippetStyle *style, const SnippetOptions *options,
        Text *ret, JavaNames *ret_names);

/* The formatter of the C family: libastyle, loaded when opened, so that no other language pays for it. */
typedef struct Formatter Formatter;
/* 0, or -ENOENT when the library is not there (the program is then sent unformatted), or -ENOMEM. */
int formatter_open(Formatter **ret);
Formatter *formatter_free(Formatter *formatter);
DEFINE_CLEANUP(Formatter *, formatter_free);
/* Formats *program in place; where the formatter refuses, or changes more than white space, the text stays
 * as it is. 0, -ENOMEM, or -E2BIG from 1 GiB on. */
int formatter_run(Formatter *formatter, Dialect dialect, Text *program);
