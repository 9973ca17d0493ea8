/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/scan.h"
#include "snippet/stages.h"

/* A rule looks at the text at i. Where it applies, it appends what is to be there and returns how much of
 * the text that replaces; else it returns 0. */
typedef size_t (*TidyRule)(const Text *text, size_t i, Text *to);

static int rule_apply(Text *text, TidyRule rule) {
        _cleanup_text_ Text changed = {};

        for (size_t i = 0; i < text->size;) {
                size_t n = rule(text, i, &changed);
                if (n == 0) {
                        text_append_char(&changed, text->data[i]);
                        n = 1;
                }
                i += n;
        }
        if (text_failed(&changed))
                return -ENOMEM;
        text_move(text, &changed);
        return 0;
}

/* |n is a newline, in literals too. */
static size_t bar_newline(const Text *text, size_t i, Text *to) {
        if (!scan_at(text->data, text->size, i, "|n"))
                return 0;
        text_append_char(to, '\n');
        return 2;
}

/* Of two ; with nothing between them but white space, before a newline, one is enough. */
static size_t empty_statement(const Text *text, size_t i, Text *to) {
        if (text->data[i] != ';')
                return 0;

        size_t second = scan_skip_space(text->data, text->size, i + 1);
        if (!scan_at(text->data, text->size, second, ";\n"))
                return 0;
        text_append_string(to, ";\n");
        return second + 2 - i;
}

/* A ; alone on a line behind a brace is not needed. */
static size_t brace_statement(const Text *text, size_t i, Text *to) {
        if ((text->data[i] != '{' && text->data[i] != '}') || !scan_at(text->data, text->size, i + 1, "\n"))
                return 0;

        size_t semicolon = scan_skip_space(text->data, text->size, i + 1);
        if (!scan_at(text->data, text->size, semicolon, ";\n"))
                return 0;
        text_append_char(to, text->data[i]);
        text_append_char(to, '\n');
        return semicolon + 2 - i;
}

static size_t empty_lines(const Text *text, size_t i, Text *to) {
        size_t end = i;

        while (scan_at(text->data, text->size, end, "\n\n"))
                end += 2;
        if (end > i)
                text_append_string(to, "\n\n");
        return end - i;
}

/* The end of the comment at i, for a line comment before its newline; 0 if there is none. */
static size_t comment_end(const Text *text, size_t i) {
        size_t end;

        if (scan_at(text->data, text->size, i, "/*")) {
                end = scan_find(text->data, text->size, i + 2, "*/");
                return end == SIZE_MAX ? 0 : end + 2;
        }
        if (!scan_at(text->data, text->size, i, "//"))
                return 0;
        end = scan_find(text->data, text->size, i, "\n");
        return end == SIZE_MAX ? 0 : end;
}

/* In Java, a ; before a newline that only a comment parts from the ; before. */
static size_t comment_statement(const Text *text, size_t i, Text *to) {
        if (text->data[i] != ';')
                return 0;

        size_t comment = scan_skip_space(text->data, text->size, i + 1);
        size_t end = comment_end(text, comment);
        if (end == 0)
                return 0;

        size_t semicolon = scan_skip_space(text->data, text->size, end);
        if (!scan_at(text->data, text->size, semicolon, ";\n"))
                return 0;
        text_append(to, text->data + i, semicolon - i);
        return semicolon + 2 - i;
}

int program_tidy(const Text *program, bool java, Text *ret) {
        static const struct {
                TidyRule rule;
                bool java_only;
        } rules[] = {
                { empty_statement, false },
                { comment_statement, true },
                { brace_statement, false },
                { empty_lines, false },
        };
        _cleanup_text_ Text text = {};
        int r;

        text_append_text(&text, program);
        r = text_failed(&text) ? -ENOMEM : rule_apply(&text, bar_newline);
        if (r < 0)
                return r;
        text_trim(&text);

        for (size_t i = 0; i < ELEMENTSOF(rules); i++) {
                if (rules[i].java_only && !java)
                        continue;
                r = rule_apply(&text, rules[i].rule);
                if (r < 0)
                        return r;
        }
        text_move(ret, &text);
        return 0;
}
