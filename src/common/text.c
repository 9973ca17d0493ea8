/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/text.h"

#include <stdio.h>

void text_done(Text *text) {
        free(text->data);
        *text = (Text){};
}

/* Room for n more bytes and the final NUL. */
static bool text_grow(Text *text, size_t n) {
        if (text->failed)
                return false;
        if (n >= SIZE_MAX / 2 - text->size - 1) {
                text->failed = true;
                return false;
        }

        size_t need = text->size + n + 1;
        if (need <= text->allocated)
                return true;

        size_t allocate = MAX(need, text->allocated + text->allocated / 2);
        allocate = MAX(allocate, (size_t)64);

        char *data = realloc(text->data, allocate);
        if (!data) {
                text->failed = true;
                return false;
        }
        text->data = data;
        text->allocated = allocate;
        return true;
}

char *text_reserve(Text *text, size_t n) {
        return text_grow(text, n) ? text->data + text->size : NULL;
}

void text_append(Text *text, const void *data, size_t size) {
        if (!text_grow(text, size))
                return;
        if (size > 0)
                memcpy(text->data + text->size, data, size);
        text->size += size;
        text->data[text->size] = '\0';
}

void text_append_string(Text *text, const char *string) {
        text_append(text, string, strlen(string));
}

void text_append_char(Text *text, char c) {
        text_append(text, &c, 1);
}

void text_append_text(Text *text, const Text *other) {
        if (other->failed)
                text->failed = true;
        text_append(text, other->data, other->size);
}

void text_append_vprintf(Text *text, const char *format, va_list ap) {
        va_list again;
        va_copy(again, ap);
        int n = vsnprintf(NULL, 0, format, ap);
        if (n < 0)
                text->failed = true;
        else if (text_grow(text, (size_t)n)) {
                (void)vsnprintf(text->data + text->size, (size_t)n + 1, format, again);
                text->size += (size_t)n;
        }
        va_end(again);
}

void text_append_printf(Text *text, const char *format, ...) {
        va_list ap;
        va_start(ap, format);
        text_append_vprintf(text, format, ap);
        va_end(ap);
}

void text_append_quoted(Text *text, const char *word) {
        text_append_char(text, '\'');
        for (; *word; word++)
                if (*word == '\'')
                        text_append_string(text, "'\\''");
                else
                        text_append_char(text, *word);
        text_append_char(text, '\'');
}

static bool is_letter_or_digit(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool text_append_escaped(Text *text, const char *string, const char *plain, size_t size_max) {
        for (; *string; string++) {
                bool as_it_is = is_letter_or_digit(*string) || strchr(plain, *string);

                if (text->size + (as_it_is ? 1 : 3) > size_max)
                        return false;
                if (as_it_is)
                        text_append_char(text, *string);
                else
                        text_append_printf(text, "%%%02X", (unsigned)(uint8_t)*string);
        }
        return true;
}

void text_truncate(Text *text, size_t size) {
        if (size >= text->size)
                return;
        text->size = size;
        text->data[size] = '\0';
}

void text_clear(Text *text) {
        text_truncate(text, 0);
}

void text_consume(Text *text, size_t n) {
        n = MIN(n, text->size);
        if (n == 0)
                return;
        memmove(text->data, text->data + n, text->size - n);
        text_truncate(text, text->size - n);
}

void text_prepend(Text *text, const void *data, size_t size) {
        if (size == 0 || !text_grow(text, size))
                return;
        memmove(text->data + size, text->data, text->size);
        memcpy(text->data, data, size);
        text->size += size;
        text->data[text->size] = '\0';
}

const char *text_string(const Text *text) {
        if (!text->data)
                return "";
        text->data[text->size] = '\0';
        return text->data;
}

bool text_equals(const Text *text, const char *string) {
        size_t n = strlen(string);
        return text->size == n && (n == 0 || memcmp(text->data, string, n) == 0);
}

int text_steal(Text *text, char **ret, size_t *ret_size) {
        text_append(text, NULL, 0);
        if (text->failed)
                return -ENOMEM;
        if (ret_size)
                *ret_size = text->size;
        *ret = TAKE_PTR(text->data);
        *text = (Text){};
        return 0;
}

void text_move(Text *to, Text *from) {
        text_done(to);
        *to = *from;
        *from = (Text){};
}

char *bytes_dup(const void *data, size_t size) {
        char *copy = malloc(size + 1);
        if (!copy)
                return NULL;
        if (size > 0)
                memcpy(copy, data, size);
        copy[size] = '\0';
        return copy;
}
