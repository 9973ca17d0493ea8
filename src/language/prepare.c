/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/prepare.h"

#include "language/options.h"

/* A backslash and what it escapes are never parted by the start of a literal. One at the end escapes
 * nothing: it goes, with the blank that parted it from the code. */
static void expand(const char *code, size_t size, Text *ret) {
        for (size_t i = 0; i < size; i++)
                if (code[i] != '\\')
                        text_append_char(ret, code[i]);
                else if (++i == size)
                        text_truncate(ret, ret->size - (ret->size > 0 && ret->data[ret->size - 1] == ' '));
                else if (code[i] == 'n')
                        text_append_char(ret, '\n');
                else
                        text_append(ret, code + i - 1, 2);
}

int newline_escapes_expand(const Syntax *syntax, const char *code, size_t size, Text *ret) {
        SyntaxScan scan = syntax_scan(syntax, code, size, true);
        SyntaxSpan span;
        size_t from = 0;

        for (; syntax_next(&scan, &span); from = span.end) {
                expand(code + from, span.start - from, ret);
                text_append(ret, code + span.start, span.end - span.start);
        }
        expand(code + from, size - from, ret);
        return text_error(ret);
}

static bool is_open(const Language *language, const Text *code) {
        const char *data = text_string(code), *opening = language->opening;
        size_t start = space_size(data, code->size), from = 0;
        SyntaxScan scan = syntax_scan(language_syntax(language), data, code->size, false);
        SyntaxSpan span = {};

        if (start < code->size && data[start] == *opening)
                return true;
        for (bool more = true; more; from = span.end) {
                more = syntax_next(&scan, &span);
                size_t end = more ? span.start : code->size;
                if (end > from && memmem(data + from, end - from, opening, MIN(strlen(opening), (size_t)2)))
                        return true;
        }
        return false;
}

int opening_add(const Language *language, Text *code) {
        if (*language->opening && !is_open(language, code))
                text_prepend(code, language->opening, strlen(language->opening));
        return text_error(code);
}
