/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edit/scan.h"

#include <strings.h>

#include "common/utf8.h"

/* The length of the character under the cursor, and whether it is white space. */
static size_t next(const Scan *scan, bool *ret_space) {
        uint32_t c;
        size_t n = utf8_unit(scan->at, scan_left(scan), &c);

        *ret_space = unicode_is_space(c);
        return n;
}

static size_t take_while(Scan *scan, bool space) {
        const char *start = scan->at;

        while (scan->at < scan->end) {
                bool is_space;
                size_t n = next(scan, &is_space);
                if (is_space != space)
                        break;
                scan->at += n;
        }
        return (size_t)(scan->at - start);
}

size_t typed_spaces(Scan *scan) {
        return take_while(scan, true);
}

size_t typed_non_spaces(Scan *scan) {
        return take_while(scan, false);
}

size_t typed_to_space(Scan *scan) {
        const char *start = scan->at, *space = memchr(start, ' ', scan_left(scan));

        scan->at = space ? space : scan->end;
        return (size_t)(scan->at - start);
}

bool typed_word(Scan *scan, const char *word, bool any_case) {
        size_t n = strlen(word);

        if (scan_left(scan) < n)
                return false;
        if (any_case ? strncasecmp(scan->at, word, n) != 0 : memcmp(scan->at, word, n) != 0)
                return false;
        scan->at += n;
        return true;
}

bool typed_at_word_end(const Scan *scan) {
        uint32_t c;

        if (scan->at == scan->end)
                return true;
        (void)utf8_unit(scan->at, scan_left(scan), &c);
        return !unicode_is_word(c);
}

void scan_and(Scan *scan, bool any_case) {
        typed_spaces(scan);

        Scan ahead = *scan;
        if (typed_word(&ahead, "and", any_case) && typed_spaces(&ahead) > 0)
                *scan = ahead;
}

bool typed_delimited(Scan *scan, char delimiter, Slice *ret) {
        Scan ahead = *scan;

        typed_spaces(&ahead);
        if (ahead.at == ahead.end || *ahead.at != delimiter)
                return false;

        const char *start = ++ahead.at;
        for (; ahead.at < ahead.end; ahead.at++) {
                if (*ahead.at == delimiter) {
                        *ret = (Slice){ start, (size_t)(ahead.at - start) };
                        ahead.at++;
                        *scan = ahead;
                        return true;
                }
                if (*ahead.at == '\\' && ++ahead.at == ahead.end)
                        break;
        }
        return false;
}

void typed_append(Text *text, Slice part, char delimiter) {
        for (size_t i = 0; i < part.size; i++) {
                if (part.data[i] == '\\' && i + 1 < part.size) {
                        if (part.data[i + 1] != delimiter)
                                text_append_char(text, part.data[i]);
                        i++;
                }
                text_append_char(text, part.data[i]);
        }
}
