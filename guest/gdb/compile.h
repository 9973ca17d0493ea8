/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Compiles a snippet once, such that its diagnostics are those of what the user wrote. */

/* Runs the compiler command (NULL-terminated) on the source. Diagnostics of the line with
 * print_last_statement() are written as if it were not there. If that very line does not compile, the
 * compiler says why in words about our macro: the source is written anew without it, and compiled so.
 * What fails and uses a name that -std hides is compiled again with all that the C library has; if that
 * helps, it counts. What fails since the headers have a function of the program's own with another type is
 * compiled again without theirs. A compiler that is not there in its version is looked for without. Returns
 * the compiler's exit status, 128 + n for a signal, or a negative errno if it could not be started.
 */
int compile_run(const char *source_name, char **command);
