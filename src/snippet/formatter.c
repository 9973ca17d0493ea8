/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libastyle is C++ and takes milliseconds to load, so nothing links it: it is opened for the languages that
 * it formats, before the process gives up reading files. */

#include <dlfcn.h>

#include "snippet/formatter-bounds.h"
#include "snippet/snippet.h"

#define LIBRARY "libastyle.so.3"
/* The brackets of Linux; blanks around operators, none inside of parentheses, one behind if and while; empty
 * lines around blocks. */
#define OPTIONS "-A3 -UHpf"
/* It indents; more than this many times the size is no program that a person reads. */
#define GROWTH_MAX 8

typedef void (*AStyleError)(int number, const char *message);
typedef char *(*AStyleAllocate)(unsigned long size);
typedef char *(*AStyleMain)(
        const char *source, const char *options, AStyleError error, AStyleAllocate allocate);

struct Formatter {
        void *library;
        AStyleMain format;
};

Formatter *formatter_free(Formatter *formatter) {
        if (formatter) {
                if (formatter->library)
                        (void)dlclose(formatter->library);
                free(formatter);
        }
        return NULL;
}

int formatter_open(Formatter **ret) {
        _cleanup_(formatter_freep) Formatter *formatter = calloc(1, sizeof(*formatter));

        if (!formatter)
                return -ENOMEM;
        formatter->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if (!formatter->library)
                return -ENOENT;
        *(void **)&formatter->format = dlsym(formatter->library, "AStyleMain");
        if (!formatter->format)
                return -ENOENT;

        *ret = TAKE_PTR(formatter);
        return 0;
}

/* A program that the formatter cannot take is sent as it is. */
static void format_error(_unused_ int number, _unused_ const char *message) {
}

static char *format_allocate(unsigned long size) {
        return malloc(size);
}

/* The formatter knows no <: :> <% %> %: and no trigraphs, and puts blanks into them. */
static bool is_alternative(const Source *source, const Token *token) {
        if (token->kind == TOKEN_DIRECTIVE)
                return source->data[token->begin] != '#';
        return token->kind == TOKEN_SIGN && token->sign >= SIGN_BRACE_OPEN &&
               token->sign <= SIGN_BRACKET_CLOSE && token->end - token->begin > 1;
}

static bool has_alternatives(const Source *source) {
        for (size_t i = 0; i < source->n_tokens; i++)
                if (is_alternative(source, &source->tokens[i]))
                        return true;
        return false;
}

/* Equal but for the length of white space. */
static bool equal_but_space(const char *a, size_t n, const char *b, size_t m) {
        size_t i = 0, k = 0;

        while (i < n && k < m) {
                size_t x = space_length(a, n, i), y = space_length(b, m, k);
                if ((x > 0) != (y > 0) || (x == 0 && a[i] != b[k]))
                        return false;
                if (x == 0) {
                        i++;
                        k++;
                        continue;
                }
                for (; x > 0; x = space_length(a, n, i))
                        i += x;
                for (; y > 0; y = space_length(b, m, k))
                        k += y;
        }
        return i == n && k == m;
}

/* Whether both are the same to a compiler. */
static bool same_tokens(const Source *a, const Source *b) {
        if (a->n_tokens != b->n_tokens)
                return false;
        for (size_t i = 0; i < a->n_tokens; i++) {
                const Token *x = &a->tokens[i], *y = &b->tokens[i];
                const size_t n = x->end - x->begin, m = y->end - y->begin;
                if (x->kind != y->kind ||
                        (x->kind == TOKEN_DIRECTIVE
                                        ? !equal_but_space(a->data + x->begin, n, b->data + y->begin, m)
                                        : n != m || memcmp(a->data + x->begin, b->data + y->begin, n) != 0))
                        return false;
        }
        return true;
}

int formatter_run(Formatter *formatter, Dialect dialect, Text *program) {
        _cleanup_free_ char *formatted = NULL;
        _cleanup_source_ Source source = {}, result = {};
        int r;

        if (program->size == 0 || memchr(program->data, 0, program->size))
                return 0;
        r = source_read(program->data, program->size, dialect, true, &source);
        if (r < 0)
                return r;
        if (!formatter_within_bounds(&source) || has_alternatives(&source))
                return 0;

        formatted = formatter->format(text_string(program), OPTIONS, format_error, format_allocate);
        if (!formatted || strlen(formatted) > GROWTH_MAX * program->size + 4096)
                return 0;
        r = source_read(formatted, strlen(formatted), dialect, true, &result);
        if (r < 0)
                return r;
        if (!same_tokens(&source, &result))
                return 0;
        text_clear(program);
        text_append_string(program, formatted);
        return text_error(program);
}
