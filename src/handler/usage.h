/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job took, for those who want to see it. */

#include "common/reply.h"

/* Puts " [1.2 s, 34 MiB]", from its start to its end and its memory at most, behind the answer, whose white
 * space at the end goes. An answer of white space alone stays, since PBot has words for it, and so does one
 * of PBot's agents, which do not tell. */
void usage_append(Text *answer, const Reply *reply);
