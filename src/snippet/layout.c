/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/layout.h"

static void put(Layout *layout, const char *data, size_t size) {
        if (size == 0)
                return;
        text_append(layout->to, data, size);
        layout->newlines = 0;
}

/* Of four newlines two stay, of five three. */
void layout_newline(Layout *layout) {
        if (layout->newlines == 3) {
                text_truncate(layout->to, layout->to->size - 1);
                layout->newlines = 2;
                return;
        }
        text_append_char(layout->to, '\n');
        layout->newlines++;
}

void layout_line(Layout *layout) {
        const Text *to = layout->to;
        size_t i = to->size;

        while (i > 0 && (to->data[i - 1] == ' ' || to->data[i - 1] == '\t'))
                i--;
        if (i > 0 && to->data[i - 1] != '\n')
                layout_newline(layout);
}

static void space(Layout *layout, size_t begin, size_t end) {
        for (size_t i = begin; i < end; i++)
                if (layout->source->data[i] == '\n')
                        layout_newline(layout);
                else {
                        text_append_char(layout->to, layout->source->data[i]);
                        layout->newlines = 0;
                }
}

void layout_string(Layout *layout, const char *string) {
        for (; *string; string++)
                if (*string == '\n')
                        layout_newline(layout);
                else
                        put(layout, string, 1);
}

static size_t first_comment(const Source *source, size_t begin) {
        size_t low = 0, high = source->n_comments;

        while (low < high) {
                size_t middle = (low + high) / 2;
                if (source->comments[middle].begin < begin)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

void layout_gap(Layout *layout, size_t begin, size_t end) {
        const Source *source = layout->source;

        for (size_t i = first_comment(source, begin);
                i < source->n_comments && source->comments[i].end <= end; i++) {
                const Comment *comment = &source->comments[i];
                space(layout, begin, comment->begin);
                put(layout, source->data + comment->begin, comment->end - comment->begin);
                begin = comment->end;
        }
        space(layout, begin, end);
}

size_t layout_gap_comment(const Layout *layout, size_t begin, size_t end) {
        const Source *source = layout->source;
        size_t i = first_comment(source, begin);

        return i < source->n_comments && source->comments[i].end <= end ? source->comments[i].begin : end;
}

size_t layout_gap_line(const Layout *layout, size_t begin, size_t end) {
        const Source *source = layout->source;
        size_t i = first_comment(source, end);

        for (;;) {
                const bool comment = i > 0 && source->comments[i - 1].begin >= begin;
                const size_t from = comment ? source->comments[i - 1].end : begin;
                const char *newline = end > from ? memrchr(source->data + from, '\n', end - from) : NULL;
                if (newline)
                        return (size_t)(newline - source->data) + 1;
                if (!comment)
                        return begin;
                end = source->comments[--i].begin;
                if (memchr(source->data + end, '\n', from - end))
                        return from;
        }
}

/* Whether the rest of the line is to begin a new one: unless it ends here. */
static bool line_goes_on(const Source *source, size_t i) {
        return i >= source->size || (source->data[i] != '\n' && source->data[i] != '\r');
}

static bool ends_line(const Layout *layout, uint32_t i, size_t depth) {
        const Token *token = &layout->source->tokens[i];
        const bool java = layout->source->dialect == DIALECT_JAVA;

        if (token->kind == TOKEN_DIRECTIVE)
                return token->sign == DIRECTIVE_INCLUDE;
        if (token->kind != TOKEN_SIGN)
                return false;
        switch (token->sign) {
        case SIGN_SEMICOLON:
                return depth == 0;
        case SIGN_BRACE_OPEN:
                return java;
        case SIGN_BRACE_CLOSE:
                return java && !token_is_sign(token + 1, SIGN_SEMICOLON);
        default:
                return false;
        }
}

void layout_tokens(Layout *layout, uint32_t first, uint32_t end) {
        const Source *source = layout->source;
        size_t depth = 0;

        for (uint32_t i = first; i < end; i++) {
                const Token *token = &source->tokens[i];

                if (i > first)
                        layout_gap(layout, token[-1].end, token->begin);
                if (token->kind == TOKEN_DIRECTIVE)
                        layout_line(layout);
                put(layout, source->data + token->begin, token->end - token->begin);
                if (token_is_sign(token, SIGN_PAREN_OPEN))
                        depth++;
                else if (token_is_sign(token, SIGN_PAREN_CLOSE) && depth > 0)
                        depth--;
                if (ends_line(layout, i, depth) && line_goes_on(source, token->end))
                        layout_newline(layout);
        }
}

void layout_trim(Layout *layout) {
        Text *to = layout->to;
        size_t size = to->size;

        while (size > 0 &&
                (to->data[size - 1] == ' ' || (to->data[size - 1] >= '\t' && to->data[size - 1] <= '\r')))
                size--;
        text_truncate(to, size);
        layout->newlines = 0;
}
