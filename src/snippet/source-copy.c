/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/scan.h"
#include "snippet/source-copy.h"

void source_copy_done(SourceCopy *copy) {
        text_done(&copy->masked);
        text_done(&copy->plain);
        free(copy->origin);
        *copy = (SourceCopy){};
}

typedef enum CommentKind {
        COMMENT_NONE,
        COMMENT_LINE,
        COMMENT_BLOCK,
} CommentKind;

typedef struct CommentScanner {
        const char *data; /* with masked literals, so that no comment begins in one */
        size_t size;
        bool block_first;
        bool no_more_blocks; /* there is no end of one ahead */
} CommentScanner;

/* The end of the block comment at i, or 0. */
static size_t block_end(CommentScanner *s, size_t i) {
        if (s->no_more_blocks || !scan_at(s->data, s->size, i, "/*"))
                return 0;

        size_t end = scan_find(s->data, s->size, i + 2, "*/");
        if (end != SIZE_MAX)
                return end + 2;
        s->no_more_blocks = true;
        return 0;
}

static size_t line_end(CommentScanner *s, size_t i) {
        while (i < s->size && s->data[i] != '\n') {
                size_t end = s->block_first ? block_end(s, i) : 0;
                i = end > 0 ? end : i + 1;
        }
        return i < s->size ? i + 1 : i;
}

/* The kind of comment at i; where there is one, also where it ends. */
static CommentKind comment_at(CommentScanner *s, size_t i, size_t *ret_end) {
        size_t end = block_end(s, i);

        if (end > 0) {
                *ret_end = end;
                return COMMENT_BLOCK;
        }
        if (!scan_at(s->data, s->size, i, "//"))
                return COMMENT_NONE;
        *ret_end = line_end(s, i);
        return COMMENT_LINE;
}

int source_copy_make(const Text *source, bool block_comments_first, SourceCopy *ret) {
        _cleanup_source_copy_ SourceCopy copy = {};
        _cleanup_text_ Text masked = {};
        CommentScanner scanner;
        int r;

        r = literals_mask(source->data, source->size, &masked);
        if (r < 0)
                return r;
        copy.origin = calloc(source->size + 1, sizeof(*copy.origin));
        if (!copy.origin)
                return -ENOMEM;

        scanner = (CommentScanner){ masked.data, masked.size, block_comments_first, false };
        for (size_t i = 0; i < masked.size;) {
                size_t end = i + 1;
                CommentKind kind = comment_at(&scanner, i, &end);

                if (kind != COMMENT_LINE) {
                        copy.origin[copy.masked.size] = i;
                        text_append_char(&copy.masked, kind == COMMENT_BLOCK ? ' ' : masked.data[i]);
                        text_append_char(&copy.plain, kind == COMMENT_BLOCK ? ' ' : source->data[i]);
                }
                i = end;
        }
        if (text_failed(&copy.masked) || text_failed(&copy.plain))
                return -ENOMEM;
        copy.origin[copy.masked.size] = source->size;

        *ret = copy;
        copy = (SourceCopy){};
        return 0;
}

int source_append_rest(const Text *source, size_t from, bool block_comments_first, Text *ret) {
        _cleanup_text_ Text masked = {};
        CommentScanner scanner;
        int r;

        r = literals_mask(source->data, source->size, &masked);
        if (r < 0)
                return r;

        scanner = (CommentScanner){ masked.data, masked.size, block_comments_first, false };
        for (size_t i = from; i < masked.size;) {
                size_t end = i + 1;
                CommentKind kind = comment_at(&scanner, i, &end);

                if (kind == COMMENT_BLOCK)
                        text_append_char(ret, ' ');
                else
                        text_append(ret, source->data + i, end - i);
                i = end;
        }
        return text_error(ret);
}

bool source_is_line_comments(const Text *source, size_t begin, size_t end) {
        while (begin < end) {
                begin = scan_skip_space(source->data, end, begin);
                if (begin == end)
                        return true;
                if (!scan_at(source->data, source->size, begin, "//"))
                        return false;

                const char *newline = memchr(source->data + begin, '\n', source->size - begin);
                begin = newline ? (size_t)(newline - source->data) + 1 : source->size;
        }
        return begin == end;
}
