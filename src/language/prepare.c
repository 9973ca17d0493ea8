/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/prepare.h"

int newline_escapes_expand(const char *code, size_t size, Text *ret) {
        char quote = 0;

        for (size_t i = 0; i < size; i++) {
                char c = code[i];
                if (c == '\\') {
                        if (++i == size)
                                break;
                        if (code[i] == 'n' && !quote)
                                text_append_char(ret, '\n');
                        else
                                text_append(ret, code + i - 1, 2);
                        continue;
                }
                if (c == '"' || c == '\'') {
                        if (!quote)
                                quote = c;
                        else if (quote == c)
                                quote = 0;
                }
                text_append_char(ret, c);
        }
        return text_error(ret);
}
