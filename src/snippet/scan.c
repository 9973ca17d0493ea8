/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/utf8.h"
#include "snippet/scan.h"

size_t scan_space(const char *data, size_t size, size_t i) {
        uint32_t c;

        if (i >= size)
                return 0;
        if ((uint8_t)data[i] < 0x80)
                return data[i] == ' ' || (data[i] >= '\t' && data[i] <= '\r') ? 1 : 0;

        size_t n = utf8_unit(data + i, size - i, &c);
        return c != UINT32_MAX && unicode_is_space(c) ? n : 0;
}

size_t scan_word(const char *data, size_t size, size_t i) {
        uint32_t c;

        if (i >= size)
                return 0;
        size_t n = utf8_unit(data + i, size - i, &c);
        return unicode_is_word(c) ? n : 0;
}

size_t scan_skip_space(const char *data, size_t size, size_t i) {
        for (size_t n; (n = scan_space(data, size, i)) > 0;)
                i += n;
        return i;
}

size_t scan_skip_word(const char *data, size_t size, size_t i) {
        for (size_t n; (n = scan_word(data, size, i)) > 0;)
                i += n;
        return i;
}

size_t scan_find(const char *data, size_t size, size_t i, const char *needle) {
        if (i >= size)
                return SIZE_MAX;

        const char *found = memmem(data + i, size - i, needle, strlen(needle));
        return found ? (size_t)(found - data) : SIZE_MAX;
}

bool scan_contains(const char *data, size_t size, const char *needle) {
        return scan_find(data, size, 0, needle) != SIZE_MAX;
}

bool scan_at(const char *data, size_t size, size_t i, const char *needle) {
        size_t n = strlen(needle);

        return i <= size && size - i >= n && memcmp(data + i, needle, n) == 0;
}

bool scan_next_word(const char *data, size_t size, size_t *i, Span *ret) {
        while (*i < size) {
                size_t end = scan_skip_word(data, size, *i);
                if (end > *i) {
                        *ret = (Span){ *i, end };
                        *i = end;
                        return true;
                }
                (*i)++;
        }
        return false;
}

bool span_equals(const char *data, Span span, const char *string) {
        size_t n = strlen(string);

        return span.end - span.begin == n && memcmp(data + span.begin, string, n) == 0;
}

Span span_trim(const char *data, Span span) {
        size_t end = span.begin;

        for (size_t i = span.begin; i < span.end;) {
                size_t n = scan_space(data, span.end, i);
                i += n > 0 ? n : 1;
                if (n == 0)
                        end = i;
        }
        return (Span){ scan_skip_space(data, end, span.begin), end };
}

void text_trim(Text *text) {
        if (text_failed(text) || text->size == 0)
                return;

        Span span = span_trim(text->data, (Span){ 0, text->size });
        text_truncate(text, span.end);
        text_consume(text, span.begin);
}

bool scan_continued(const char *data, size_t i) {
        size_t n = 0;

        while (n < i && data[i - 1 - n] == '\\')
                n++;
        return n % 2 == 1;
}

static size_t quoted_length(const char *data, size_t size, size_t begin) {
        const char quote = data[begin];
        size_t escaped = 0;

        for (size_t i = begin + 1; i < size && data[i] != '\n'; i++)
                if (data[i] == '\\' && i + 1 < size && data[i + 1] == quote)
                        escaped = ++i + 1 - begin;
                else if (data[i] == quote)
                        return i + 1 - begin;
        return escaped;
}

size_t literal_length(const char *data, size_t size, size_t i) {
        return data[i] == '"' || data[i] == '\'' ? quoted_length(data, size, i) : 0;
}

static void mask_quote(char *data, size_t size, char quote) {
        for (size_t i = 0; i < size; i++) {
                size_t n = data[i] == quote ? quoted_length(data, size, i) : 0;
                if (n == 0)
                        continue;
                memset(data + i + 1, '-', n - 2);
                i += n - 1;
        }
}

int literals_mask(const char *data, size_t size, Text *ret) {
        _cleanup_text_ Text masked = {};

        text_append(&masked, data, size);
        if (text_failed(&masked))
                return -ENOMEM;
        if (masked.size > 0) {
                mask_quote(masked.data, masked.size, '"');
                mask_quote(masked.data, masked.size, '\'');
        }
        text_move(ret, &masked);
        return 0;
}
