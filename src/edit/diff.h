/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What changed between two texts, word by word, in one text: `replaced a with b`, `removed a`, `inserted b`.
 */

#include "common/text.h"

/* Appends to *out. Both texts are well-formed UTF-8. 1 if there is a difference, 0 (and nothing appended) if
 * not, -ENOMEM. */
int word_diff(const Text *older, const Text *newer, Text *out);
