/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How states, times and ages are shown. */

#include "ctl/machines.h"

/* Whether colours go to stdout: a terminal, and NO_COLOR is not set. */
bool format_colours(void);
/* The colour of a state and its end; empty without colours. */
const char *format_state_colour(const char *state, bool colours);
const char *format_colour_end(bool colours);

/* A dot, full or empty; plain ASCII where the terminal's character set has no others. */
const char *format_dot(bool full);

/* Whether stdout's character set has others than ASCII. */
bool format_unicode(void);
/* The columns of a line: COLUMNS, else the terminal's, else 80. */
unsigned format_width(void);

/* "0.4 s", "12 s", "3 min", "2 h", "5 days". */
void format_span(Text *text, uint64_t usec);
/* "2026-03-01 12:00:00", local time. */
void format_time(Text *text, uint64_t realtime_usec);
/* Shown text comes from a guest or an operator: control characters and what is no
 * UTF-8 become '?'. */
void format_untrusted(Text *text, const char *string);
