/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a compiler's driver starts for one set of options: compiler proper, assembler, linker. Asked of it
 * once and kept in ahead_folder(), this saves starting the driver, which costs as much as what it starts,
 * and lets a faster linker in. */

#include "plan/words.h"

/* Does what the driver would do for this very command, with further options for the compiler proper. 1:
 * done, *err and *ret_status are the driver's; 0: nothing is known of the command, or something in it failed
 * in another's words than the driver's: it must be run; or a negative errno. */
int recipe_run(char **command, const Words *options, Text *err, int *ret_status);

/* How a recipe is written. In a word of a step these stand for the directory of the source and for that of
 * temporary files. */
#define RECIPE_DIRECTORY "\1"
#define RECIPE_TEMPORARY "\2"
#define RECIPE_STEPS_MAX 3

/* Whether there is one for the command that holds. */
bool recipe_is_kept(char **command);
/* Appends a step; -EINVAL if its words cannot be written. */
int recipe_append(Text *steps, char **words);
/* Writes the recipe of the command: stamps of what it starts (stamps.h), and its steps. */
int recipe_save(char **command, const Text *stamps, const Text *steps);
void recipe_forget(char **command);

/* How it is read. Cuts a section off at its empty line: the lines with their newlines. NULL if there is
 * none. */
char *recipe_next_section(char **p);
/* Appends the lines. 0 or -ENOMEM. */
int recipe_split_lines(const char *section, Words *ret);

/* Asks the driver, and keeps what it says if a program can be made by it, unless that is done. 0, also where
 * it cannot, or a negative errno. */
int recipe_make(char **command, const char *source_name);
