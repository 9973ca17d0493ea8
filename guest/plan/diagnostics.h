/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a compiler says. */

#include "common/text.h"

/* Appends diagnostics without those of the given line that were said before: print_last_statement() of
 * prelude.h needs its argument more than once, for its type and for its value, and the user wrote it once.
 * line 0: all of them. */
void diagnostics_append_once(Text *text, const char *data, size_t size, const char *file, unsigned line);
