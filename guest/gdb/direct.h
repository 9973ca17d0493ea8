/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Commands that are run as what they would start, where that is kept (recipe.h): those of compilers that
 * look through all their packages first, or start compilers of other languages. */

/* Runs what is kept of the command, or, if there is nothing or it goes another way than the command would,
 * becomes it. Returns an exit status, or a negative errno if the command could not be started. */
int direct_run(char **command);

/* Keeps what a file says, unless it does not make what the command makes of the source in the working
 * directory. The file has, each with an empty line behind, the command, the paths of what its steps depend
 * on, and the steps; a word a line. 0, -ENOTSUP if it goes another way, or another negative errno. */
int direct_keep(const char *path);
