/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The languages: one file each, named by its module, NAME.json. The format is in data/README.md.
 *
 * A lookup opens the one file that it names (two if that file says "like"), in the first directory that has
 * it; a symbolic link beside it is another name. Only a word that is no file name makes it read them all,
 * which the list for the client needs anyway. */

#include "common/text.h"

typedef enum SnippetKind {
        SNIPPET_NONE, /* code is sent as it is */
        SNIPPET_C,
        SNIPPET_JAVA,
} SnippetKind;

typedef struct PasteComments {
        char *command_open;
        char *command_close;
        char *output_open;
        char *output_close;
} PasteComments;

typedef struct Language {
        char *name;
        char **aliases; /* NULL-terminated; NULL: none */
        char *source_file;
        char *exec_file;
        char *command; /* $sourcefile, $execfile, $options */
        char *options;
        char *options_pasting;
        char *options_not_pasting;
        bool newline_escapes;
        bool append_arguments; /* of the request, to the command */
        char *append;
        SnippetKind snippet;
        char *prelude;
        bool force_prelude_header;
        bool print_last_statement;
        bool block_comments_first;
        char **rewrites; /* NULL-terminated; NULL: none */
        PasteComments comments;
} Language;

Language *language_free(Language *language);
DEFINE_CLEANUP(Language *, language_free);

/* True for a word that may be a language's file name: not empty, no '/', no '.' or '_' in front. */
bool language_name_is_valid(const char *name);

/* Reads NAME.json from the first of the directories (NULL-terminated) that has it. 0; -ENOENT when none has
 * it or name is not valid; -EINVAL when the file is wrong, with a line "FILE:LINE: MEMBER: what" for each
 * mistake in *errors; another errno when it cannot be read, also told in *errors. */
int language_open(const char *const *directories, const char *name, Language **ret, Text *errors);

/* Looks a word up that is no file name: the first language whose name or alias it is, in the order of file
 * names. Returns 1 and *ret, or 0 and in *list "bash, bc, bf": the names that are shown, in that order; or
 * -ENOMEM. Files with mistakes are logged and left out. */
int language_search(const char *const *directories, const char *word, Language **ret, Text *list);
