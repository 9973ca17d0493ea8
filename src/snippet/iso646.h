/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* and, or, not, xor... of C, which are macros of iso646.h alone. */

#include "snippet/token.h"

/* Where the program has one of them as a name of its own, all tokens of that name are plain words. */
void iso646_find(Source *source);
