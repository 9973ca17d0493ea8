/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The place where main()'s variables have their last values and are not destroyed yet. */

#include "gdb/mi.h"
#include "gdb/source.h"

/* The line of the brace that closes main(), if that brace stands alone on it, else 0. */
unsigned end_of_main_line(const Source *source);

#define END_PLACES_MAX 32

/* Compilers give that line to other code too: g++ to that of temporaries in initializer lists, clang++ to
 * what unwinds. But from the end of main() on, however it is come by, nothing else follows.
 *
 * lines: gdb's answer to -data-disassemble -a main 4; source: the file's name in it. Puts the addresses at
 * which such code is entered into ret, at most END_PLACES_MAX: the first of them that the program comes by
 * is it. 0, also where none is found, or -ENOMEM. */
int end_of_main_places(const MiValue *lines, const char *source, unsigned brace,
        uint64_t ret[static END_PLACES_MAX], size_t *ret_n);
