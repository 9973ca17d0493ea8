/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A growing string of bytes. It may hold NUL bytes; data is followed by one that is not counted.
 *
 * Failure sticks: once memory is out, appending does nothing and text_failed() stays true, so a function
 * that builds a text checks once, at its end. */

#include <stdarg.h>

#include "common/macro.h"

typedef struct Text {
        char *data;  /* NULL only while nothing was appended: use text_string() to print it */
        size_t size; /* bytes, without the final NUL */
        size_t allocated;
        bool failed;
} Text;

/* Frees what the text holds and makes it empty; a zeroed Text is a valid empty one. */
void text_done(Text *text);
#define _cleanup_text_ _cleanup_(text_done)

void text_append(Text *text, const void *data, size_t size);
void text_append_string(Text *text, const char *string);
void text_append_char(Text *text, char c);
void text_append_text(Text *text, const Text *other);
void text_append_printf(Text *text, const char *format, ...) _printf_(2, 3);
void text_append_vprintf(Text *text, const char *format, va_list ap) _printf_(2, 0);
/* The word in single quotes, inert for a shell. */
void text_append_quoted(Text *text, const char *word);
/* The string as a part of a file's name: letters, digits and the bytes of plain as they are, all others as
 * %XX. False if the text would have more than size_max bytes: then a part of it is there. */
bool text_append_escaped(Text *text, const char *string, const char *plain, size_t size_max);

/* Makes room for n more bytes and returns where they go, or NULL (and the text has failed). The caller fills
 * them and adds n, or less, to size; the NUL behind is set by the next append or by text_string(). */
char *text_reserve(Text *text, size_t n);

/* Shortens to size bytes; a longer size is ignored. */
void text_truncate(Text *text, size_t size);
/* Empties it, keeps the memory. */
void text_clear(Text *text);
/* Removes n bytes at the front. */
void text_consume(Text *text, size_t n);
/* Puts data in front. */
void text_prepend(Text *text, const void *data, size_t size);

/* The content as a C string, "" when empty; owned by the text, valid until its next change. */
const char *text_string(const Text *text);

static inline bool text_failed(const Text *text) {
        return text->failed;
}
/* 0 or -ENOMEM. */
static inline int text_error(const Text *text) {
        return text->failed ? -ENOMEM : 0;
}
bool text_equals(const Text *text, const char *string);

/* Hands the bytes over: *ret (freed by the caller, NUL-terminated, never NULL) and, unless NULL, *ret_size.
 * The text is empty afterwards. 0, or -ENOMEM when an append had failed. */
int text_steal(Text *text, char **ret, size_t *ret_size);

/* Replaces *to by *from and empties *from. */
void text_move(Text *to, Text *from);
/* A copy of size bytes with a NUL behind, or NULL without memory. */
char *bytes_dup(const void *data, size_t size);
