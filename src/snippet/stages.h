/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The stages of a snippet's completion, in their order. Each takes text and gives text. All return 0 or
 * -ENOMEM unless said otherwise. */

#include "snippet/snippet.h"

/* 1. Lines: a newline behind each statement's ; and behind an include directive that has none (Java: behind
 * each ; { and }), and in place of a backslash and n outside literals. */
int newlines_complete(const Text *code, bool java, Text *ret);

/* 2. Head: the lines at the beginning that start with one of the prefixes (a NULL-terminated list), without
 * the white space before them, each with at most two newlines, move from *code to *head. */
int head_split(Text *code, const char *const *prefixes, Text *head);

/* The first line that is a directive is the last of the code, and no newline ends it. Where there are
 * several, as #if and #endif, the last one swallows nothing. */
bool directive_unterminated(const Text *code);

/* 3. Functions: all that is hoisted, with what stands before and between them, and the rest. */
typedef struct Hoisted {
        Text functions;
        Text rest;
        bool has_main;
} Hoisted;
void hoisted_done(Hoisted *hoisted);
#define _cleanup_hoisted_ _cleanup_(hoisted_done)

/* Returns a SnippetResult or -ENOMEM. */
int functions_hoist(const Text *code, bool java, bool block_comments_first, Hoisted *ret);

/* One pair of braces around all of it is dropped; braces that are no pair stay. */
int braces_unwrap(Text *code);

/* The closing brace of something that was hoisted without it moves from the rest to the functions. */
void brace_hoist(Hoisted *hoisted);

/* 4. The last statement, if it is an expression, goes into print_last_statement(). The head tells what its
 * macros are. */
int last_statement_print(Text *rest, const Text *head);

/* The functions use one of the debugger's words, so that nothing is to be printed by itself. */
bool uses_debugger(const Text *functions);

/* 5. What putting the parts together left: empty statements, doubled empty lines, white space at the ends;
 * and |n becomes a newline. */
int program_tidy(const Text *program, bool java, Text *ret);
