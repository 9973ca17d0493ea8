/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The language table: one JSON file a language, pbotvm-language(5). A request opens the one file that it
 * needs; an alias is a symbolic link to it. Folders that come first win, so that an operator overrides a
 * language. */

#include "common/json.h"

typedef enum SnippetKind {
        SNIPPET_NONE,
        SNIPPET_C,
        SNIPPET_JAVA,
} SnippetKind;

typedef struct Language {
        char *name;   /* as shown: "c++" */
        char *source; /* file names in the guest */
        char *executable;
        char *command; /* template with $sourcefile, $execfile, $options */
        char *options; /* default compiler options, "" */
        char *options_nopaste, *options_paste;
        bool arguments_in_command; /* the request's arguments are appended to the command */
        bool escapes;              /* \n outside quotes becomes a newline */
        char *append;              /* put behind the code, "" */
        SnippetKind snippet;
        bool show_last_statement; /* C: the last expression is shown, prelude.h is included */
        bool line_comments;       /* C: // begins a comment, also inside a block comment; false for C89 */
        char *prelude;            /* lines, each ended, "" */
        char **rewrites;          /* names of rewrite tables, NULL-terminated */
        char *comments[4];        /* opening and closing comment around the command line, then the output */
} Language;

Language *language_free(Language *language);
DEFINE_CLEANUP(Language *, language_free);

/* Reads the language called name from the first of dirs (NULL-terminated) that has its file. 0; -ENOENT if
 * there is none, or name cannot be one (it begins with _ or ., or has a / in it); -EINVAL for a mistake in
 * the file, with "FILE:LINE: member: expected ..." in *error; or another negative errno. */
int language_load(const char *const *dirs, const char *name, Language **ret, Text *error);

/* Appends the shown names of all languages, in the order of their files' names, ", " between them. Files
 * with mistakes are left out; each mistake is a line of *errors. 0 or -ENOMEM. */
int language_list(const char *const *dirs, Text *list, Text *errors);
