/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The last hour of a machine as rows of blocks. */

#include "ctl/machines.h"

/* Appends a row for each count, ended by a newline; all but the first begin with indent blanks, which stand
 * in front of the first already. A line has at most width columns, as long as there is room for a name and
 * ten blocks: a block stands for one minute, or 2, 3, 4, 5 or 6. unicode: block elements, else ASCII. */
void hour_picture(Text *text, const LastHour *hour, unsigned indent, unsigned width, bool unicode);
