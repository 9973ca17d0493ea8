/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* s/PATTERN/TO/gi on a text, with Perl's regular expressions and Perl's errors. */

#include "edit/budget.h"
#include "edit/command.h"

/* $1 to $9, $` and $' in TO are the groups of the match and what stands before and after it; all else in TO
 * is literal. An empty pattern matches nothing. code is well-formed UTF-8. Returns 1 and *ret, 0 if nothing
 * matched, -EINVAL with the answer for the client in *error (a wrong pattern, too slow, too long), or
 * -ENOMEM. */
int substitute(const Text *code, const Step *step, Budget *budget, Text *ret, Text *error);
