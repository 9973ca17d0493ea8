/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/utf8.h"

static unsigned announced_length(uint8_t lead) {
        if (lead < 0xC0)
                return 1;
        if (lead < 0xE0)
                return 2;
        if (lead < 0xF0)
                return 3;
        if (lead < 0xF8)
                return 4;
        if (lead < 0xFC)
                return 5;
        if (lead < 0xFE)
                return 6;
        return lead == 0xFE ? 7 : 13;
}

static bool well_formed(uint32_t c, unsigned length) {
        static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };

        if (length > 4 || c < smallest[length] || c > 0x10FFFF)
                return false;
        if (c >= 0xD800 && c <= 0xDFFF)
                return false;
        if (c >= 0xFDD0 && c <= 0xFDEF)
                return false;
        return (c & 0xFFFE) != 0xFFFE;
}

size_t utf8_unit(const char *data, size_t size, uint32_t *ret) {
        const uint8_t *p = (const uint8_t *)data;

        *ret = UINT32_MAX;
        if (p[0] < 0x80) {
                *ret = p[0];
                return 1;
        }
        if (p[0] < 0xC0)
                return 1;

        unsigned length = announced_length(p[0]);
        uint32_t c = length <= 4 ? p[0] & (0x7FU >> length) : 0;
        unsigned n = 1;
        for (; n < length && n < size && (p[n] & 0xC0) == 0x80; n++)
                c = c << 6 | (p[n] & 0x3F);

        if (n == length && well_formed(c, length))
                *ret = c;
        return n;
}

static void append_replaced(Text *text, const char *data, size_t size, bool escape) {
        size_t good = 0, i = 0;

        while (i < size) {
                uint32_t c;
                size_t n = utf8_unit(data + i, size - i, &c);
                if (c == UINT32_MAX) {
                        text_append(text, data + good, i - good);
                        if (escape)
                                text_append_printf(text, "\\\\x%02X", (unsigned)(uint8_t)data[i]);
                        else
                                text_append_string(text, "\xEF\xBF\xBD");
                        good = i + n;
                }
                i += n;
        }
        text_append(text, data + good, size - good);
}

void utf8_append_valid(Text *text, const char *data, size_t size) {
        append_replaced(text, data, size, false);
}

void utf8_append_escaped(Text *text, const char *data, size_t size) {
        append_replaced(text, data, size, true);
}

bool unicode_is_control(uint32_t c) {
        return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

void utf8_copy_line(char *ret, size_t size, const char *string) {
        size_t left = strlen(string), used = 0, n;

        for (; left > 0; string += n, left -= n) {
                uint32_t c;
                n = utf8_unit(string, left, &c);
                bool as_it_is = c != UINT32_MAX && !unicode_is_control(c);
                if (used + (as_it_is ? n : 1) >= size)
                        break;
                if (as_it_is)
                        memcpy(ret + used, string, n);
                else
                        ret[used] = '?';
                used += as_it_is ? n : 1;
        }
        ret[used] = '\0';
}

void utf8_append(Text *text, uint32_t c) {
        char b[4];

        if (c < 0x80)
                text_append_char(text, (char)c);
        else if (c < 0x800) {
                b[0] = (char)(0xC0 | c >> 6);
                b[1] = (char)(0x80 | (c & 0x3F));
                text_append(text, b, 2);
        } else if (c < 0x10000) {
                b[0] = (char)(0xE0 | c >> 12);
                b[1] = (char)(0x80 | (c >> 6 & 0x3F));
                b[2] = (char)(0x80 | (c & 0x3F));
                text_append(text, b, 3);
        } else {
                b[0] = (char)(0xF0 | (c >> 18 & 7));
                b[1] = (char)(0x80 | (c >> 12 & 0x3F));
                b[2] = (char)(0x80 | (c >> 6 & 0x3F));
                b[3] = (char)(0x80 | (c & 0x3F));
                text_append(text, b, 4);
        }
}

bool unicode_is_space(uint32_t c) {
        return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
               (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
               c == 0x3000;
}

size_t utf8_trimmed_size(const char *data, size_t size) {
        while (size > 0) {
                size_t start = size - 1;
                while (start > 0 && size - start < 4 && ((uint8_t)data[start] & 0xC0) == 0x80)
                        start--;

                uint32_t c;
                size_t n = utf8_unit(data + start, size - start, &c);
                if (start + n != size || c == UINT32_MAX || !unicode_is_space(c))
                        break;
                size = start;
        }
        return size;
}
