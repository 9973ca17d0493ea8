/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/prepare.h"

#include "common/utf8.h"

int prepare_newlines(Text *code) {
        _cleanup_text_ Text out = {};
        char quote = 0;

        for (size_t i = 0; i < code->size; i++) {
                char c = code->data[i];
                if (c == '\\') {
                        if (i + 1 == code->size)
                                break;
                        char next = code->data[++i];
                        if (next == 'n' && !quote)
                                text_append_char(&out, '\n');
                        else {
                                text_append_char(&out, c);
                                text_append_char(&out, next);
                        }
                        continue;
                }
                if (quote)
                        quote = c == quote ? 0 : quote;
                else if (c == '"' || c == '\'')
                        quote = c;
                text_append_char(&out, c);
        }
        if (text_failed(&out))
                return -ENOMEM;
        text_move(code, &out);
        return 0;
}

/* One kind of escape: prefix, then at least one of digits (a number of that base), or nothing, which stands
 * for plain. */
typedef struct Escape {
        const char *prefixes[2];
        unsigned base; /* 0: no digits */
        char plain;
} Escape;

static int digit_value(char c, unsigned base) {
        int value = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : 99;
        return value < (int)base ? value : -1;
}

/* The length of the escape at p, 0 if there is none. */
static size_t escape_match(const Escape *escape, const char *p, size_t size, uint32_t *ret) {
        for (size_t k = 0; k < ELEMENTSOF(escape->prefixes) && escape->prefixes[k]; k++) {
                size_t n = strlen(escape->prefixes[k]), i = n;
                uint32_t value = 0;
                int digit;

                if (size < n || memcmp(p, escape->prefixes[k], n) != 0)
                        continue;
                if (escape->base == 0) {
                        *ret = (uint32_t)escape->plain;
                        return n;
                }
                for (; i < size && (digit = digit_value(p[i], escape->base)) >= 0; i++)
                        value = value > 0x10FFFF ? value : value * escape->base + (uint32_t)digit;
                if (i == n)
                        continue;
                *ret = value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF) ? 0xFFFD : value;
                return i;
        }
        return 0;
}

static int replace_escape(const Escape *escape, Text *text) {
        _cleanup_text_ Text out = {};

        for (size_t i = 0; i < text->size;) {
                uint32_t c;
                size_t n = 0;
                if (i == 0 || text->data[i - 1] != '\\')
                        n = escape_match(escape, text->data + i, text->size - i, &c);
                if (n > 0)
                        utf8_append(&out, c);
                else
                        text_append_char(&out, text->data[i]);
                i += MAX(n, (size_t)1);
        }
        if (text_failed(&out))
                return -ENOMEM;
        text_move(text, &out);
        return 0;
}

int prepare_input(Text *input) {
        /* In this order, one after the other. */
        static const Escape escapes[] = {
                { { "\\n" }, 0, '\n' },
                { { "\\r" }, 0, '\r' },
                { { "\\t" }, 0, '\t' },
                { { "\\b" }, 0, '\b' },
                { { "\\x", "\\X" }, 16, 0 },
                { { "\\" }, 8, 0 },
        };

        for (size_t i = 0;
                i < ELEMENTSOF(escapes) && input->size > 0 && memchr(input->data, '\\', input->size); i++) {
                int r = replace_escape(&escapes[i], input);
                if (r < 0)
                        return r;
        }
        return 0;
}

int prepare_saying(Text *saying) {
        _cleanup_text_ Text out = {};

        for (size_t i = 0; i < saying->size; i++) {
                char c = saying->data[i];
                bool blank = out.size == 0 || out.data[out.size - 1] == ' ';
                if (c == ':')
                        text_append_string(&out, blank ? "- " : " - ");
                else if (c != ' ' && !(c >= '\t' && c <= '\r'))
                        text_append_char(&out, c);
                else if (!blank)
                        text_append_char(&out, ' ');
        }
        while (out.size > 0 && out.data[out.size - 1] == ' ')
                text_truncate(&out, out.size - 1);
        if (text_failed(&out))
                return -ENOMEM;
        text_move(saying, &out);
        return 0;
}
