/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/source.h"

#include <ctype.h>
#include <fcntl.h>

#include "common/io.h"
#include "plan/scan.h"

#define SOURCE_MAX ((size_t)8 << 20)

static const char wrapper[] = "print_last_statement";

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

/* print_last_statement(...): its name, what is inside, the parenthesis that closes it. */
typedef struct Wrapper {
        const char *name, *inside, *close;
} Wrapper;

/* Finds that parenthesis, the scanner being behind the first. In code that a compiler refuses they need not
 * match: then it is the last one of its line, or the first one that would do in front of a semicolon. */
static const char *find_close(Scanner scanner) {
        const char *newline = memchr(scanner.p, '\n', (size_t)(scanner.end - scanner.p));
        const char *last = NULL;
        long depth = 1;

        for (Token token = scan(&scanner); token.kind != TOKEN_END;) {
                Token after = scan(&scanner);

                depth += token_is(&token, "(") - token_is(&token, ")");
                if (token_is(&token, ")") && depth <= 0 && token_is(&after, ";"))
                        return token.data;
                if (token_is(&token, ")") && (!newline || token.data < newline))
                        last = token.data;
                token = after;
        }
        return last;
}

static bool find_wrapper(const char *text, const char *end, Wrapper *ret) {
        Scanner scanner = { .p = text, .end = end };
        Token token, before = {};

        for (; (token = scan(&scanner)).kind != TOKEN_END; before = token)
                if (token_is(&token, "(") && before.kind == TOKEN_WORD && token_is(&before, wrapper)) {
                        *ret = (Wrapper){ before.data, scanner.p, find_close(scanner) };
                        return ret->close;
                }
        return false;
}

bool source_append_statement(const Source *source, unsigned line, Text *text) {
        Wrapper place;
        const char *p;
        size_t size;

        if (line == 0 || !find_line(source, line, &p, &size))
                return false;
        trim(&p, &size);
        if (startswith(p, wrapper) && find_wrapper(p, p + size, &place) && place.name == p) {
                text_append(text, place.inside, (size_t)(place.close - place.inside));
                text_append_char(text, ';');
                return true;
        }
        text_append(text, p, size);
        return size > 0;
}

unsigned source_wrapper(const Source *source, size_t *ret_offset) {
        const char *text = text_string(&source->text), *line = text;
        unsigned number = 1;
        Wrapper place;

        if (!find_wrapper(text, text + source->text.size, &place))
                return 0;
        for (const char *p = text; p < place.name; p++)
                if (*p == '\n') {
                        number++;
                        line = p + 1;
                }
        *ret_offset = (size_t)(place.name - line);
        return number;
}

bool source_unwrap(Source *source) {
        const char *text = text_string(&source->text), *end = text + source->text.size;
        _cleanup_text_ Text out = {};
        Wrapper place;

        if (!find_wrapper(text, end, &place))
                return false;
        text_append(&out, text, (size_t)(place.name - text));
        text_append(&out, place.inside, (size_t)(place.close - place.inside));
        text_append(&out, place.close + 1, (size_t)(end - place.close) - 1);
        if (text_failed(&out))
                return false;
        text_move(&source->text, &out);
        return true;
}
