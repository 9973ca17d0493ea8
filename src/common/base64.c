/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_append_encoded(Text *text, const void *data, size_t size) {
        const uint8_t *p = data;
        char *out = text_reserve(text, (size + 2) / 3 * 4);

        if (!out)
                return;
        for (size_t i = 0; i < size; i += 3) {
                size_t n = MIN(size - i, (size_t)3);
                uint32_t bits = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                                (n > 2 ? p[i + 2] : 0);

                *out++ = alphabet[bits >> 18];
                *out++ = alphabet[bits >> 12 & 63];
                *out++ = n > 1 ? alphabet[bits >> 6 & 63] : '=';
                *out++ = n > 2 ? alphabet[bits & 63] : '=';
                text->size += 4;
        }
        text->data[text->size] = '\0';
}

static int value_of(char c) {
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_append_decoded(Text *text, const char *encoded, size_t size) {
        if (size % 4 != 0)
                return -EBADMSG;

        size_t padding =
                size == 0 ? 0 : (size_t)(encoded[size - 1] == '=') + (size_t)(encoded[size - 2] == '=');
        if (padding == 1 && encoded[size - 1] != '=')
                return -EBADMSG;

        char *out = text_reserve(text, size / 4 * 3);
        if (!out)
                return -ENOMEM;
        for (size_t i = 0; i < size; i += 4) {
                size_t used = i + 4 == size ? 4 - padding : 4;
                uint32_t bits = 0;

                for (size_t k = 0; k < 4; k++) {
                        int value = k < used ? value_of(encoded[i + k]) : 0;
                        if (value < 0)
                                return -EBADMSG;
                        bits = bits << 6 | (uint32_t)value;
                }
                *out++ = (char)(bits >> 16);
                if (used > 2)
                        *out++ = (char)(bits >> 8 & 255);
                if (used > 3)
                        *out++ = (char)(bits & 255);
        }
        text->size = (size_t)(out - text->data);
        text->data[text->size] = '\0';
        return 0;
}
