/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A regular expression as Perl reads it, written as PCRE2 has to be given it. */

#include "edit/command.h"

/* Appends the pattern to *ret. Nothing is checked: what is wrong stays wrong. */
void perl_pattern_write(Slice pattern, Text *ret);
/* The place in the pattern from which the byte at offset of what was written comes. */
size_t perl_pattern_place(Slice pattern, size_t offset);
