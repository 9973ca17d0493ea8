/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The place where main()'s variables have their last values and are not destroyed yet. */

#include "gdb/mi.h"
#include "gdb/source.h"

/* Lines, from 1; 0: not known. */
typedef struct EndOfMain {
        unsigned brace;       /* that closes main(), if it stands alone on its line */
        unsigned first, last; /* of main()'s last statement */
} EndOfMain;

EndOfMain end_of_main_find(const Source *source);

#define END_PLACES_MAX 8

/* Compilers give the line of that brace to other code too: g++ to that of temporaries in initializer lists,
 * clang++ to what unwinds. lines: gdb's answer to -symbol-list-lines; places in the order of addresses. The
 * addresses where the code behind the last statement may begin, as gdb writes them, borrowed; the last of
 * them that the program comes by is it. Returns their number; 0: nothing tells them from the rest. */
size_t end_of_main_places(
        const EndOfMain *end, const MiValue *lines, const char *ret[static END_PLACES_MAX]);
