/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a guest printed, made fit for a line of IRC. */

#include "common/parts.h"
#include "common/text.h"

/* Appends size bytes of UTF-8 (malformed units become U+FFFD) without one final newline, with backspaces
 * carried out (they move, later characters overwrite), bells as one of eleven noises picked by chance, and
 * other control characters shown, but for LF, CR, TAB and the formatting codes of IRC. parts: whose the
 * bytes are, in *ret_parts (unless NULL) whose those of *ret are; NULL or empty: nobody said. 0 or -ENOMEM.
 */
int output_clean(
        const char *data, size_t size, const Parts *parts, uint64_t chance, Text *ret, Parts *ret_parts);
