/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/source.h"

#include <ctype.h>
#include <fcntl.h>

#include "common/io.h"

#define SOURCE_MAX ((size_t)8 << 20)

static const char wrapper[] = "print_last_statement(";

void source_done(Source *source) {
        free(source->name);
        text_done(&source->text);
        *source = (Source){};
}

int source_load(const char *name, Source *ret) {
        _cleanup_source_ Source source = {};
        int r;

        source.name = strdup(name);
        if (!source.name)
                return -ENOMEM;
        r = io_read_file(AT_FDCWD, name, SOURCE_MAX, &source.text);
        if (r < 0)
                return r;
        *ret = source;
        source = (Source){};
        return 0;
}

/* A line without its newline, by number; false when there are fewer. */
static bool find_line(const Source *source, unsigned line, const char **ret, size_t *ret_size) {
        const char *p = text_string(&source->text), *end = p + source->text.size, *newline;

        for (; p < end; p = newline + 1) {
                newline = memchr(p, '\n', (size_t)(end - p));
                if (!newline)
                        newline = end;
                if (--line == 0) {
                        *ret = p;
                        *ret_size = (size_t)(newline - p);
                        return true;
                }
        }
        return false;
}

static void trim(const char **p, size_t *size) {
        while (*size > 0 && isspace((unsigned char)**p)) {
                (*p)++;
                (*size)--;
        }
        while (*size > 0 && isspace((unsigned char)(*p)[*size - 1]))
                (*size)--;
}

/* The parenthesis that closes the wrapper: the last one of its line. */
static const char *find_wrapper_end(const char *p, size_t size) {
        return memrchr(p, ')', size);
}

bool source_append_statement(const Source *source, unsigned line, Text *text) {
        const char *p, *close;
        size_t size;

        if (line == 0 || !find_line(source, line, &p, &size))
                return false;
        trim(&p, &size);
        if (size > sizeof(wrapper) && memcmp(p, wrapper, sizeof(wrapper) - 1) == 0 &&
                (close = find_wrapper_end(p, size))) {
                p += sizeof(wrapper) - 1;
                text_append(text, p, (size_t)(close - p));
                text_append_char(text, ';');
                return true;
        }
        text_append(text, p, size);
        return size > 0;
}

/* Where a comment, a literal or a directive that begins at p ends; p itself if none does. */
static const char *skip_opaque(const char *p, const char *end, bool line_start) {
        const char *close;

        if (end - p >= 2 && p[0] == '/' && p[1] == '*') {
                close = memmem(p + 2, (size_t)(end - p) - 2, "*/", 2);
                return close ? close + 2 : end;
        }
        if ((end - p >= 2 && p[0] == '/' && p[1] == '/') || (line_start && *p == '#')) {
                close = memchr(p, '\n', (size_t)(end - p));
                return close ? close : end;
        }
        if (*p != '"' && *p != '\'')
                return p;
        for (close = p + 1; close < end && *close != *p && *close != '\n'; close++)
                if (*close == '\\')
                        close++;
        /* An apostrophe between digits is closed by the end of its line. */
        return close >= end ? end : *close == '\n' ? close : close + 1;
}

static bool is_word(char c) {
        return isalnum((unsigned char)c) || c == '_';
}

static bool word_at(const char *text, const char *p, const char *end, const char *word) {
        size_t n = strlen(word);

        return (size_t)(end - p) > n && memcmp(p, word, n) == 0 && !is_word(p[n]) &&
               (p == text || !is_word(p[-1]));
}

/* The brace that closes main(): where the depth of braces is back at none after main was named at depth
 * none. */
static const char *find_end_of_main(const char *text, const char *end) {
        bool in_main = false, line_start = true;
        unsigned depth = 0;

        for (const char *p = text; p < end; p++) {
                const char *after = skip_opaque(p, end, line_start);

                if (after > p) {
                        p = after - 1;
                        continue;
                }
                if (*p == '\n')
                        line_start = true;
                else if (!isspace((unsigned char)*p))
                        line_start = false;
                if (depth == 0 && word_at(text, p, end, "main"))
                        in_main = true;
                else if (depth == 0 && *p == ';')
                        in_main = false;
                else if (*p == '{')
                        depth++;
                else if (*p == '}' && depth > 0 && --depth == 0 && in_main)
                        return p;
        }
        return NULL;
}

unsigned source_end_of_main(const Source *source) {
        const char *text = text_string(&source->text),
                   *brace = find_end_of_main(text, text + source->text.size);
        unsigned line = 1;

        if (!brace)
                return 0;
        for (const char *p = brace; p > text && p[-1] != '\n'; p--)
                if (!isspace((unsigned char)p[-1]))
                        return 0;
        for (const char *p = text; p < brace; p++)
                line += *p == '\n';
        return line;
}

unsigned source_wrapper(const Source *source, size_t *ret_offset) {
        const char *text = text_string(&source->text), *place, *line = text;
        unsigned number = 1;

        place = memmem(text, source->text.size, wrapper, sizeof(wrapper) - 1);
        if (!place)
                return 0;
        for (const char *p = text; p < place; p++)
                if (*p == '\n') {
                        number++;
                        line = p + 1;
                }
        *ret_offset = (size_t)(place - line);
        return number;
}

bool source_unwrap(Source *source) {
        const char *text = text_string(&source->text), *end = text + source->text.size;
        const char *place = memmem(text, source->text.size, wrapper, sizeof(wrapper) - 1), *newline, *close;
        _cleanup_text_ Text out = {};

        if (!place)
                return false;
        newline = memchr(place, '\n', (size_t)(end - place));
        close = find_wrapper_end(place, (size_t)((newline ? newline : end) - place));
        if (!close)
                return false;
        text_append(&out, text, (size_t)(place - text));
        place += sizeof(wrapper) - 1;
        text_append(&out, place, (size_t)(close - place));
        text_append(&out, close + 1, (size_t)(end - close) - 1);
        if (text_failed(&out))
                return false;
        text_move(&source->text, &out);
        return true;
}
