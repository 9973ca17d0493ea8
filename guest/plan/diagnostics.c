/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/diagnostics.h"

#include <ctype.h>

static const char wrapper[] = "print_last_statement(";
#define WRAPPER_SIZE (sizeof(wrapper) - 1)

/* A diagnostic: the line that names a place, and what follows (source, caret) up to the next. */
typedef struct Block {
        const char *data;
        size_t size;
} Block;

static size_t line_size(const char *data, size_t size) {
        const char *end = memchr(data, '\n', size);

        return end ? (size_t)(end - data) + 1 : size;
}

static bool contains(const char *data, size_t size, const char *what) {
        return memmem(data, size, what, strlen(what));
}

/* clang's last line, "2 warnings generated.": those that only the wrapper brings are among them. */
static bool counts_warnings(const char *data, size_t size) {
        size_t n = line_size(data, size);

        return n > 0 && isdigit((unsigned char)*data) &&
               (contains(data, n, " warning generated.\n") || contains(data, n, " warnings generated.\n"));
}

/* FILE:LINE:COLUMN: severity, or FILE: In function */
static bool begins_block(const char *data, size_t size) {
        static const char *const marks[] = { ": warning: ", ": error: ", ": note: ", ": fatal error: ",
                ": In function ", ": At top level:" };
        static const char included[] = "In file included from ";
        size_t n = line_size(data, size);

        if (n > 0 && isspace((unsigned char)*data))
                return false;
        if (counts_warnings(data, size))
                return true;
        for (size_t i = 0; i < ELEMENTSOF(marks); i++)
                if (contains(data, n, marks[i]))
                        return true;
        return n > sizeof(included) && memcmp(data, included, sizeof(included) - 1) == 0;
}

static Block take_block(const char *data, size_t size) {
        size_t n = line_size(data, size);

        while (n < size && !begins_block(data + n, size - n))
                n += line_size(data + n, size - n);
        return (Block){ data, n };
}

/* What follows FILE:LINE: in the block's first line, or NULL if it is of another place. */
static const char *after_place(const Block *block, const char *file, unsigned line) {
        _cleanup_text_ Text place = {};

        text_append_printf(&place, "%s:%u:", file, line);
        if (text_failed(&place) || block->size <= place.size ||
                memcmp(block->data, place.data, place.size) != 0)
                return NULL;
        return block->data + place.size;
}

/* The number at p; *ret_end is behind it. 0 if there is none. */
static unsigned long read_number(const char *p, const char *end, const char **ret_end) {
        unsigned long number = 0;

        for (; p < end && isdigit((unsigned char)*p) && number < 1000000; p++)
                number = number * 10 + (unsigned long)(*p - '0');
        *ret_end = p;
        return number;
}

/* The first line, with its column moved to the left if it is inside the parentheses. number: the column to
 * tell, which need not be the one that stands at column. */
static void append_head(
        Text *text, const char *line, size_t size, const char *column, unsigned long number, size_t offset) {
        const char *rest;

        if (number == 0 || read_number(column, line + size, &rest) == 0) {
                text_append(text, line, size);
                return;
        }
        if (number > offset + WRAPPER_SIZE)
                number -= WRAPPER_SIZE;
        text_append(text, line, (size_t)(column - line));
        text_append_printf(text, "%lu", number);
        text_append(text, rest, size - (size_t)(rest - line));
}

/* The quoted source line: the wrapper and its parenthesis go. */
static void append_quotation(Text *text, const char *line, size_t size, size_t at) {
        const char *rest = line + at + WRAPPER_SIZE, *close = memrchr(rest, ')', size - at - WRAPPER_SIZE);

        text_append(text, line, at);
        if (!close)
                close = line + size;
        text_append(text, rest, (size_t)(close - rest));
        if (close < line + size)
                text_append(text, close + 1, size - (size_t)(close - line) - 1);
}

/* A line below the quotation, with carets: what stands below the wrapper goes. */
static void append_carets(Text *text, const char *line, size_t size, size_t at) {
        for (size_t i = at; i < MIN(at + WRAPPER_SIZE, size); i++)
                if (line[i] != ' ' && line[i] != '~') {
                        text_append(text, line, size);
                        return;
                }
        text_append(text, line, MIN(at, size));
        if (size > at + WRAPPER_SIZE)
                text_append(text, line + at + WRAPPER_SIZE, size - at - WRAPPER_SIZE);
        else if (size > at)
                text_append_char(text, '\n');
}

static void unwrap_block(
        Text *text, const Block *block, const char *column, unsigned long number, size_t offset) {
        size_t used = line_size(block->data, block->size), at = 0;

        append_head(text, block->data, used, column, number, offset);
        while (used < block->size) {
                const char *line = block->data + used, *place;
                size_t size = line_size(line, block->size - used);

                place = memmem(line, size, wrapper, WRAPPER_SIZE);
                if (place) {
                        at = (size_t)(place - line);
                        append_quotation(text, line, size, at);
                } else if (at > 0 && isspace((unsigned char)*line))
                        append_carets(text, line, size, at);
                else
                        text_append(text, line, size);
                used += size;
        }
}

/* The way to a header is told once in front of the first diagnostic, even if only its macro leads there. */
static bool leads_to_place(const char *data, size_t size, const DiagnosticsPlace *place) {
        static const char included[] = "In file included from ";
        Block block = take_block(data, size);
        size_t used = block.size;

        if (block.size < sizeof(included) || memcmp(block.data, included, sizeof(included) - 1) != 0)
                return false;
        for (; used < size; used += block.size) {
                block = take_block(data + used, size - used);
                if (!contains(block.data, line_size(block.data, block.size), ": In function "))
                        return after_place(&block, place->file, place->line);
        }
        return false;
}

/* "prelude.h:5:3: note: expanded from macro 'print_last_statement'" and the like. */
static bool is_about_macro(const Block *block) {
        size_t n = line_size(block->data, block->size);

        return contains(block->data, n, ": note: ") && contains(block->data, n, " macro ") &&
               (contains(block->data, n, "print_last_statement") || contains(block->data, n, "__PBOTVM_"));
}

/* Of a string that comes through a macro gcc says apart where in it the fault is. Returns that column if the
 * text at data says so, and in *ret_size the text's size, else 0. */
static unsigned long string_column(
        const char *data, size_t size, const DiagnosticsPlace *place, size_t *ret_size) {
        Block block = take_block(data, size);
        const char *column, *end;

        if (size == 0 || line_size(block.data, block.size) != block.size ||
                !contains(block.data, block.size, ": note: format string is defined here"))
                return 0;
        *ret_size = block.size;
        column = after_place(&block, place->file, place->line);
        return column ? read_number(column, data + size, &end) : 0;
}

static bool is_told(const Text *text, size_t start, const char *data, size_t size) {
        return text->size > start && memmem(text->data + start, text->size - start, data, size);
}

void diagnostics_unwrap(Text *text, const char *data, size_t size, const DiagnosticsPlace *place) {
        size_t used = 0, start = text->size, note_size = 0;
        bool again = false; /* what was told already, and so the notes that belong to it */

        while (used < size) {
                Block block = take_block(data + used, size - used);
                const char *column = after_place(&block, place->file, place->line), *end;
                bool omit = is_about_macro(&block) || counts_warnings(block.data, block.size) ||
                            leads_to_place(data + used, size - used, place);
                unsigned long number;
                _cleanup_text_ Text own = {};

                used += block.size;
                if (omit)
                        continue;
                if (!column) {
                        again = again && contains(block.data, line_size(block.data, block.size), ": note: ");
                        if (!again || !is_told(text, start, block.data, block.size))
                                text_append(text, block.data, block.size);
                        continue;
                }
                number = string_column(data + used, size - used, place, &note_size);
                if (number > 0)
                        used += note_size;
                else
                        number = read_number(column, data + size, &end);
                unwrap_block(&own, &block, column, number, place->offset);
                again = is_told(text, start, own.data, own.size);
                if (!again)
                        text_append_text(text, &own);
                text->failed |= text_failed(&own);
        }
}

bool diagnostics_have_error(const char *data, size_t size, const char *file, unsigned line) {
        while (size > 0) {
                Block block = take_block(data, size);
                size_t n = line_size(block.data, block.size);

                if ((contains(block.data, n, ": error: ") || contains(block.data, n, ": fatal error: ")) &&
                        (after_place(&block, file, line) || contains(block.data, n, "prelude.h:") ||
                                contains(block.data, n, "print_last_statement")))
                        return true;
                data += block.size;
                size -= block.size;
        }
        return false;
}
