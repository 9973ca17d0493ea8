/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libastyle is C++ and takes milliseconds to load, so nothing links it: it is opened for the languages that
 * it formats, before the process gives up reading files. */

#include <dlfcn.h>

#include "snippet/formatter-bounds.h"
#include "snippet/scan.h"
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

/* The formatter knows no <: :> <% %> and %:, and puts blanks into them. */
static bool has_digraphs(const char *data, size_t size) {
        static const char *const digraphs[] = { "<%", "%>", "<:", ":>", "%:" };

        for (size_t i = 0; i < ELEMENTSOF(digraphs); i++)
                for (size_t k = 0; (k = scan_find(data, size, k, digraphs[i])) != SIZE_MAX; k++)
                        if (!scan_at(data, size, k, "<::")) /* vector<::name> */
                                return true;
        return false;
}

int formatter_run(Formatter *formatter, Text *program) {
        _cleanup_free_ char *formatted = NULL;
        _cleanup_text_ Text masked = {};
        int r;

        if (program->size == 0 || memchr(program->data, 0, program->size) ||
                !formatter_within_bounds(program->data, program->size))
                return 0;
        r = literals_mask(program->data, program->size, &masked);
        if (r < 0)
                return r;
        if (has_digraphs(masked.data, masked.size))
                return 0;

        formatted = formatter->format(text_string(program), OPTIONS, format_error, format_allocate);
        if (!formatted || strlen(formatted) > GROWTH_MAX * program->size + 4096)
                return 0;
        text_clear(program);
        text_append_string(program, formatted);
        return text_error(program);
}
