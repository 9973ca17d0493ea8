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
