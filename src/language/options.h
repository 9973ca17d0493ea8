/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a line says besides its code: -info, -paste, -args and -stdin, the options for the compiler, and the
 * command line that comes of them. */

#include "language/table.h"

typedef struct StandardOptions {
        bool info;
        bool paste;
        bool have_arguments; /* -args was given */
        Text arguments;
        bool have_input; /* -stdin was given */
        Text input;
} StandardOptions;
void standard_options_done(StandardOptions *options);
#define _cleanup_standard_options_ _cleanup_(standard_options_done)

/* Takes the standard options out of the code, where they are words that lie in none of its literals and
 * comments. 0 or -ENOMEM. */
int standard_options_take(const Syntax *syntax, Text *code, StandardOptions *ret);

/* Takes the options in front of the code, those that the language's compiler or interpreter could take for
 * one, joined by spaces. 0 or -ENOMEM. (leading.c) */
int command_options_take(const Language *language, Text *code, Text *options);

/* False if the code begins with a dash that begins no option, neither the language's nor one of ours.
 * (leading.c) */
bool options_begin(const Language *language, const Text *code);

/* Appends the command line. options: the user's, or empty for the language's own; variant: what the language
 * has for pasting or for not pasting, or "". arguments: appended where the language says so, or "". 0 or
 * -ENOMEM. */
int command_line(const Language *language, const Text *options, const char *variant, const char *arguments,
        Text *line);

/* How many bytes of white space, as Unicode has it, data begins with. */
size_t space_size(const char *data, size_t size);
