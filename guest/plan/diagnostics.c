/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/diagnostics.h"

#include <ctype.h>

/* A diagnostic: the line that names a place, and what follows (source, caret) up to the next. */
typedef struct Block {
        const char *data;
        size_t size;
} Block;

static size_t line_size(const char *data, size_t size) {
        const char *end = memchr(data, '\n', size);

        return end ? (size_t)(end - data) + 1 : size;
}

/* FILE:LINE:COLUMN: severity, or FILE: In function */
static bool begins_block(const char *data, size_t size) {
        static const char *const marks[] = { ": warning: ", ": error: ", ": note: ", ": fatal error: ",
                ": In function ", ": At top level:" };
        size_t n = line_size(data, size);

        if (n > 0 && isspace((unsigned char)*data))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(marks); i++)
                if (memmem(data, n, marks[i], strlen(marks[i])))
                        return true;
        return false;
}

static Block take_block(const char *data, size_t size) {
        size_t n = line_size(data, size);

        while (n < size && !begins_block(data + n, size - n))
                n += line_size(data + n, size - n);
        return (Block){ data, n };
}

static bool block_is_at(const Block *block, const char *prefix, size_t prefix_size) {
        return block->size > prefix_size && memcmp(block->data, prefix, prefix_size) == 0;
}

void diagnostics_append_once(Text *text, const char *data, size_t size, const char *file, unsigned line) {
        _cleanup_text_ Text place = {};
        size_t used = 0, start = text->size;

        text_append_printf(&place, "%s:%u:", file, line);
        while (used < size) {
                Block block = take_block(data + used, size - used);
                bool known = line > 0 && block_is_at(&block, text_string(&place), place.size) &&
                             text->size > start &&
                             memmem(text->data + start, text->size - start, block.data, block.size);

                if (!known)
                        text_append(text, block.data, block.size);
                used += block.size;
        }
        text->failed |= text_failed(&place);
}
