/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/scan.h"
#include "snippet/stages.h"

/* The end of the line at i, behind its newline; a newline behind an odd number of backslashes does not end
 * it. SIZE_MAX: the text ends before the line does. */
static size_t line_end(const Text *code, size_t i) {
        while ((i = scan_find(code->data, code->size, i, "\n")) != SIZE_MAX) {
                i++;
                if (!scan_continued(code->data, i - 1))
                        break;
        }
        return i;
}

static bool starts_with_one_of(const Text *code, size_t i, const char *const *prefixes) {
        for (; *prefixes; prefixes++)
                if (scan_at(code->data, code->size, i, *prefixes))
                        return true;
        return false;
}

int head_split(Text *code, const char *const *prefixes, Text *head) {
        size_t end = 0;

        for (;;) {
                size_t line = scan_skip_space(code->data, code->size, end);
                if (!starts_with_one_of(code, line, prefixes))
                        break;

                size_t behind = line_end(code, line);
                if (behind == SIZE_MAX)
                        break;
                if (scan_at(code->data, code->size, behind, "\n"))
                        behind++;
                text_append(head, code->data + line, behind - line);
                end = behind;
        }
        text_consume(code, end);
        return text_failed(head) || text_failed(code) ? -ENOMEM : 0;
}

bool directive_unterminated(const Text *code) {
        size_t line = 0;

        for (;;) {
                size_t text = scan_skip_space(code->data, code->size, line);
                line = scan_find(code->data, code->size, text, "\n");
                if (scan_at(code->data, code->size, text, "#"))
                        return line == SIZE_MAX;
                if (line == SIZE_MAX)
                        return false;
        }
}
