/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Code as it is typed on one line of IRC. */

#include "language/table.h"

/* Appends code with each backslash-n outside of literals and comments made a newline. Other escapes stay; a
 * lone backslash at the end is dropped. 0 or -ENOMEM. */
int newline_escapes_expand(const Syntax *syntax, const char *code, size_t size, Text *ret);

/* Puts the language's opening in front of code that has none: it neither begins with the opening's first
 * character nor has its first two outside of literals and comments. 0 or -ENOMEM. */
int opening_add(const Language *language, Text *code);
