/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snippet/token.h"

/* Whether the program is one that the formatter can be given. */
bool formatter_within_bounds(const Source *source);
