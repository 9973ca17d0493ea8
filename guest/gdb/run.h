/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Running a compiler, or a part of one. */

#include "common/text.h"

/* Runs the command, looked up in PATH, and waits for it. What it writes to stderr is appended to *err, or,
 * if that is NULL, goes to ours. *ret_status: as of waitpid(2). 0 or a negative errno. */
int run_command(char **command, Text *err, int *ret_status);

/* The same for a compiler, whose name may have a version that is not here, "clang++-3.7": it is cut off
 * then, in the command too. */
int run_compiler(char **command, Text *err, int *ret_status);

/* The same with further options, NULL-terminated. */
int run_compiler_with(char **command, char **options, Text *err, int *ret_status);

/* How much of a compiler's name is left without its version; all of it where it has none. */
size_t unversioned_size(const char *name);

/* A shell's exit status for one of waitpid(2). */
int exit_status(int status);
