/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What Perl would say of a regular expression that PCRE2 refuses. */

#include "edit/command.h"

/* Appends the message for PCRE2's compile error at offset. */
void regex_error_append(Text *text, int error, Slice pattern, size_t offset);
