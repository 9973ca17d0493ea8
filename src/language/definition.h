/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One language file, from JSON to a Language. */

#include "common/json.h"
#include "language/table.h"

/* Reads the members of a file. base, or NULL: what "like" names, whose members hold where this file has
 * none. 0, -EINVAL with a line "FILE:LINE: MEMBER: what" for each mistake in *errors, or -ENOMEM. */
int definition_read(const char *file, const Json *json, const Json *base, Language **ret, Text *errors);

/* Appends one such line; where: any value of the file, or NULL. */
void definition_mistake(Text *errors, const char *file, const Json *where, const char *member,
        const char *format, ...) _printf_(5, 6);

/* Logs each line of errors. */
void definition_log(const Text *errors);
