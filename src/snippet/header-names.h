/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/text.h"

/* Names as arrays of one width, not as pointers: those the loader would have to relocate at each
 * start. */
typedef struct NameTable {
        const char *names; /* sorted, each with its NUL */
        size_t n, width;
} NameTable;

static inline const char *name_at(const NameTable *table, size_t i) {
        return table->names + i * table->width;
}

extern const NameTable c_header_names, std_header_names;
/* What glibc has in C++ alone. */
extern const NameTable cxx_gnu_names;
/* C's functions that C++ has in std, too, of which its headers undefine any macro: those that they can do
 * without, and those that they call. */
extern const NameTable cxx_shared_names, cxx_called_names;

/* Declares in std a function of cxx_called_names, as the headers call it; NULL: it is none of these, or
 * cannot be declared there. */
const char *called_declaration(const char *name);

/* The index of a name in the table, SIZE_MAX if it is not there. */
size_t name_find(const NameTable *table, const char *data, size_t size);
bool name_is_in(const NameTable *table, const char *name);

/* The parameters of one of math.h's functions that have variants for vectors, in parentheses: glibc joins
 * their names with others, so that no plain macro may have such a name. NULL for all other names. */
const char *vector_function_params(const char *name);
