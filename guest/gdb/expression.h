/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What gdb is asked to evaluate. */

#include "gdb/session.h"

/* Appends an expression of C as gdb has to be told it: a character constant is an int, for gdb it is a char.
 */
void expression_append_c(Text *text, const char *expression);

/* Prints a value on gdb's console; of an array that is larger than gdb takes, the beginning. As
 * session_console(). */
int expression_print(Session *session, MiRecord **ret, const char *expression);
