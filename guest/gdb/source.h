/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The program's source, to quote from. */

#include "common/text.h"

typedef struct Source {
        char *name; /* as the compiler was given it */
        Text text;
} Source;

void source_done(Source *source);
#define _cleanup_source_ _cleanup_(source_done)

/* Reads the file. 0, or a negative errno: then nothing can be quoted. */
int source_load(const char *name, Source *ret);

/* Appends line number (from 1) without white space at its ends and without the host's print_last_statement()
 * around it. False, and nothing is appended, when there is no such line or it is empty. */
bool source_append_statement(const Source *source, unsigned line, Text *text);

/* The first line with print_last_statement(), and the offset of that word in it; 0 if there is none. */
unsigned source_wrapper(const Source *source, size_t *ret_offset);

/* Takes print_last_statement() off: "  print_last_statement(x);" becomes "  x;". Returns whether there was
 * one. */
bool source_unwrap(Source *source);
