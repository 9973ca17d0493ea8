/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* replace MOD 'FROM' with 'TO', and remove: plain texts, no patterns. */

#include "edit/budget.h"
#include "edit/command.h"

/* Does the replacements among the steps, in PBot's order: by FROM, then by number, and one with the same
 * FROM as a numbered one before it takes that one's number. A side of FROM that ends in a letter, digit or
 * underscore must be the end of a word in the code, on another side one character more is passed over.
 * Returns 1 if some FROM was found at all (even if not as often as was asked), else 0; *code is changed in
 * place. -EINVAL with the answer for the client in *error, or -ENOMEM. */
int replace_all(Text *code, const Step *steps, size_t n_steps, Budget *budget, Text *error);
