/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Code as it is typed on one line of IRC. */

#include "common/text.h"

/* Appends code with each backslash-n outside of quotes made a newline. Other escapes stay; a lone backslash
 * at the end is dropped. 0 or -ENOMEM. */
int newline_escapes_expand(const char *code, size_t size, Text *ret);
