/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a compiler says of a snippet, as if the host had put no print_last_statement() around its last
 * expression. */

#include "common/text.h"

typedef struct DiagnosticsPlace {
        const char *file;
        unsigned line; /* from 1 */
        size_t offset; /* of the word print_last_statement in it */
} DiagnosticsPlace;

/* Appends the diagnostics with the columns and quotations of that line as they would be without it, and each
 * of them once: the macro needs its argument more than once, for its type and for its value. */
void diagnostics_unwrap(Text *text, const char *data, size_t size, const DiagnosticsPlace *place);

/* Whether there is an error in that line, or in the macro itself. */
bool diagnostics_have_error(const char *data, size_t size, const char *file, unsigned line);
