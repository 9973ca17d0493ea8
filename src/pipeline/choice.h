/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which machine and which language, and what a client is told who asks for others. */

#include "config/config.h"
#include "language/table.h"

#define USAGE                                                                                               \
        "Usage: cc [-lang=<language>] [-vm=<virtual machine>] [-info] [-paste] "                            \
        "[-args \"command-line arguments\"] [compiler/language options] <code> [-stdin <stdin input>]"

/* Whether there is a machine or an alias of that name; if not, *answer says which there are. */
bool machine_exists(const Config *config, const char *name, Text *answer);

/* Opens the language of that name: 1, or 0 with the list in *answer when there is none, or a negative errno,
 * logged. */
int language_choose(const char *const *directories, const char *word, Language **ret, Text *answer);
