/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/text.h"

typedef struct NameTable {
        const char *const *names; /* sorted */
        size_t n;
} NameTable;

extern const NameTable c_header_names, std_header_names;

/* The index of a name in the table, SIZE_MAX if it is not there. */
size_t name_find(const NameTable *table, const char *data, size_t size);

/* The parameters of one of math.h's functions that have variants for vectors, in parentheses: glibc joins
 * their names with others, so that no plain macro may have such a name. NULL for all other names. */
const char *vector_function_params(const char *name);
