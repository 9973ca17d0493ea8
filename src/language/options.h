/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The options that a person types with the code, and the command line that they make. */

#include "language/table.h"

typedef struct StandardOptions {
        bool info;
        bool paste;
        char *arguments; /* of -args; NULL: not given */
        bool have_stdin;
        Text stdin_text; /* of -stdin, as typed */
} StandardOptions;
void standard_options_done(StandardOptions *options);

/* Takes -info, -paste, -args and -stdin out of the code, in place. 0 or -ENOMEM. */
int options_take_standard(Text *code, StandardOptions *ret);

/* Takes the options for the command off the front of the code, in place: *ret is them joined by spaces, or
 * empty. 0 or -ENOMEM. */
int options_take_command(Text *code, Text *ret);

typedef enum CommandStyle {
        COMMAND_INFO, /* for -info: neither paste nor nopaste options */
        COMMAND_NOPASTE,
        COMMAND_PASTE,
} CommandStyle;

/* Appends the command line of a language. options: what the person typed, NULL or "": the defaults. */
void options_command(const Language *language, const char *options, CommandStyle style, Text *ret);
