/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snippet/token.h"

/* What a branch of a conditional holds becomes a comment where the compiler can only skip it: it has a
 * literal that no line of a program has, or a bracket without its partner, in a source whose brackets do not
 * match with it. In time in proportion to the tokens. 0 or -ENOMEM. */
int left_out_drop(Source *source);
