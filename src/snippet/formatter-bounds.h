/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/text.h"

/* Whether the formatter gets done with a program in well under a second. */
bool formatter_within_bounds(const char *data, size_t size);
