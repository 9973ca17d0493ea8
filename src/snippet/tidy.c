/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/scan.h"
#include "snippet/stages.h"

typedef struct Tidy {
        const Text *text;
        size_t comment_end; /* the next end of a block comment, behind it; SIZE_MAX: none */
        Text changed;
} Tidy;

/* A rule looks at the text at i. Where it applies, it appends to changed what is to be there and returns how
 * much of the text that replaces; else it returns 0. */
typedef size_t (*TidyRule)(Tidy *tidy, size_t i);

static int rule_apply(Text *text, TidyRule rule) {
        Tidy tidy = { .text = text };

        for (size_t i = 0, n; i < text->size; i += n) {
                n = rule(&tidy, i);
                if (n > 0)
                        continue;
                text_append_char(&tidy.changed, text->data[i]);
                n = 1;
        }
        if (text_failed(&tidy.changed)) {
                text_done(&tidy.changed);
                return -ENOMEM;
        }
        text_move(text, &tidy.changed);
        return 0;
}

static bool at(const Tidy *tidy, size_t i, const char *string) {
        return scan_at(tidy->text->data, tidy->text->size, i, string);
}

static size_t skip_space(const Tidy *tidy, size_t i) {
        return scan_skip_space(tidy->text->data, tidy->text->size, i);
}

/* |n is a newline, in literals too. */
static size_t bar_newline(Tidy *tidy, size_t i) {
        if (!at(tidy, i, "|n"))
                return 0;
        text_append_char(&tidy->changed, '\n');
        return 2;
}

/* Of two ; with nothing between them but white space, before a newline, one is enough. */
static size_t empty_statement(Tidy *tidy, size_t i) {
        if (tidy->text->data[i] != ';')
                return 0;

        size_t second = skip_space(tidy, i + 1);
        if (!at(tidy, second, ";\n"))
                return 0;
        text_append_string(&tidy->changed, ";\n");
        return second + 2 - i;
}

/* A ; alone on a line behind a brace is not needed. */
static size_t brace_statement(Tidy *tidy, size_t i) {
        if ((tidy->text->data[i] != '{' && tidy->text->data[i] != '}') || !at(tidy, i + 1, "\n"))
                return 0;

        size_t semicolon = skip_space(tidy, i + 1);
        if (!at(tidy, semicolon, ";\n"))
                return 0;
        text_append_char(&tidy->changed, tidy->text->data[i]);
        text_append_char(&tidy->changed, '\n');
        return semicolon + 2 - i;
}

static size_t empty_lines(Tidy *tidy, size_t i) {
        size_t end = i;

        while (at(tidy, end, "\n\n"))
                end += 2;
        if (end > i)
                text_append_string(&tidy->changed, "\n\n");
        return end - i;
}

/* The end of the comment at i, for a line comment before its newline; 0 if there is none. */
static size_t comment_end(Tidy *tidy, size_t i) {
        const Text *text = tidy->text;

        if (at(tidy, i, "/*")) {
                if (tidy->comment_end < i + 4) {
                        size_t end = scan_find(text->data, text->size, i + 2, "*/");
                        tidy->comment_end = end == SIZE_MAX ? end : end + 2;
                }
                return tidy->comment_end == SIZE_MAX ? 0 : tidy->comment_end;
        }
        if (!at(tidy, i, "//"))
                return 0;
        size_t end = scan_find(text->data, text->size, i, "\n");
        return end == SIZE_MAX ? 0 : end;
}

/* In Java, a ; before a newline that only a comment parts from the ; before. */
static size_t comment_statement(Tidy *tidy, size_t i) {
        if (tidy->text->data[i] != ';')
                return 0;

        size_t comment = skip_space(tidy, i + 1);
        size_t end = comment_end(tidy, comment);
        if (end == 0)
                return 0;

        size_t semicolon = skip_space(tidy, end);
        if (!at(tidy, semicolon, ";\n"))
                return 0;
        text_append(&tidy->changed, tidy->text->data + i, semicolon - i);
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
