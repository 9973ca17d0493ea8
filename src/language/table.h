/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The languages: one file each, named by its module, NAME.json. The format is in pbotvm-language(5).
 *
 * A lookup opens the one file that it names (two if that file says "like"), in the first directory that has
 * it; a symbolic link beside it is another name. Only a word that is no file name makes it read them all,
 * which the list for the client needs anyway. */

#include "language/syntax.h"

typedef enum SnippetKind {
        SNIPPET_NONE, /* code is sent as it is */
        SNIPPET_C,
        SNIPPET_CXX,
        SNIPPET_JAVA,
} SnippetKind;

typedef struct PasteComments {
        char *command_open;
        char *command_close;
        char *output_open;
        char *output_close;
} PasteComments;

typedef struct Language {
        char *name;        /* as shown: "c++" */
        char **aliases;    /* NULL-terminated; NULL: none */
        char *source_file; /* names in the guest */
        char *exec_file;
        char *command;       /* a template with $sourcefile, $execfile and $options */
        char *options;       /* where the user gives none */
        char *options_paste; /* always, when pasting, and when not */
        char *options_nopaste;
        bool arguments_in_command; /* the request's arguments are appended to the command */
        bool escapes;              /* a typed backslash-n outside of quotes is a newline */
        char *append;              /* behind the code */
        SnippetKind snippet;
        bool show_last_statement; /* C: the last expression prints itself, by prelude.h */
        bool line_comments;       /* C: false for C89 */
        char *prelude;            /* lines, each ended */
        char **rewrites;          /* names of tables, NULL-terminated; NULL: none */
        PasteComments comments;
        char *option;       /* a PCRE for what its compiler or interpreter takes for one; NULL: the usual */
        Syntax syntax;      /* see language_syntax() */
        char *opening;      /* put in front of code that does not have it; see code_prepare() */
        char **environment; /* NAME=value, NULL-terminated; NULL: none */
        bool terminal;      /* its programs print into a terminal, for a pipe would get it late */
} Language;

Language *language_free(Language *language);
DEFINE_CLEANUP(Language *, language_free);

/* How its literals look; where its file does not say it, as quotes, in which a backslash escapes. */
const Syntax *language_syntax(const Language *language);

/* True for a word that may be a language's file name: 1 to LANGUAGE_NAME_MAX bytes, no '/', no '.' or '_' in
 * front. A file whose name begins with '_' is no language, but one may be like it. */
bool language_name_is_valid(const char *name);
#define LANGUAGE_NAME_MAX 64

/* Reads NAME.json from the first of the directories (NULL-terminated) that has it. 0; -ENOENT when none has
 * it or name is not valid; -EINVAL when the file is wrong, with a line "FILE:LINE: MEMBER: what" for each
 * mistake in *errors; another errno when it cannot be read, also told in *errors. */
int language_open(const char *const *directories, const char *name, Language **ret, Text *errors);

/* Is shown a language: the file's name without its ending, and what it holds, which may be taken, or NULL
 * and its mistakes. 0 to go on; what else it returns ends it. */
typedef int (*LanguageVisit)(const char *file, Language **language, const Text *errors, void *userdata);
/* Shows every language in the order of file names; one that a directory overrides is not. 0, what a visit
 * returned, or -ENOMEM. */
int language_each(const char *const *directories, LanguageVisit visit, void *userdata);

/* Looks a word up that is no file name: the first language whose name or alias it is, in the order of file
 * names. Returns 1 and *ret, or 0 and in *list "bash, bc, bf": the names that are shown, in that order; or
 * -ENOMEM. Files with mistakes are logged and left out. */
int language_search(const char *const *directories, const char *word, Language **ret, Text *list);
