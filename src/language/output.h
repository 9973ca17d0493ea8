/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Makes a program's output fit for IRC: backspaces move, bells ring, control characters are shown. The
 * formatting codes of IRC (bold, colour, reset, monospace, italics, strike-through, underline) pass. */

#include "common/text.h"

/* In place; output is UTF-8. One final newline is removed. 0 or -ENOMEM. */
int output_clean(Text *output);
