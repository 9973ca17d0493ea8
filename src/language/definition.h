/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One language file, from JSON to a Language. */

#include "common/json.h"
#include "language/table.h"

typedef struct DefinitionFile {
        Text path;
        Json *json;
} DefinitionFile;

/* Reads the members of a file and of the n - 1 that follow it, which it is like: the last one's first, so
 * that each file's members take the place of those of the next. 0, -EINVAL with a line "FILE:LINE: MEMBER:
 * what" for each mistake in *errors, or -ENOMEM. */
int definition_read(const DefinitionFile *files, size_t n, Language **ret, Text *errors);

/* Appends one such line; where: any value of the file, or NULL. */
void definition_mistake(Text *errors, const char *file, const Json *where, const char *member,
        const char *format, ...) _printf_(5, 6);

/* Logs each line of errors. */
void definition_log(const Text *errors);
