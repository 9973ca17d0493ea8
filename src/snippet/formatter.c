/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libastyle is C++ and takes milliseconds to load, so nothing links it: it is opened for the languages that
 * it formats, before the process gives up reading files. */

#include <dlfcn.h>

#include "snippet/scan.h"
#include "snippet/snippet.h"

#define LIBRARY "libastyle.so.3"
/* The brackets of Linux; blanks around operators, none inside of parentheses, one behind if and while; empty
 * lines around blocks. */
#define OPTIONS "-A3 -UHpf"
/* Its time grows with the square of what it meets in one line, and its output with that of the nesting.
 * Beyond these a program, which nobody types, is sent as it is; within them it takes well under a second. */
#define SIZE_MAX_FORMATTED (256 * 1024)
#define LINE_MAX_FORMATTED (24 * 1024)
#define DEPTH_MAX_FORMATTED 100
#define BLANKS_MAX_FORMATTED 2048
#define COMMENTS_MAX_FORMATTED 500

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

static bool is_opening(char c) {
        return c == '{' || c == '(' || c == '[';
}

static bool is_closing(char c) {
        return c == '}' || c == ')' || c == ']';
}

/* True if the formatter takes the program in reasonable time. Brackets count wherever they stand. */
static bool is_manageable(const char *data, size_t size) {
        size_t line = 0, depth = 0, blanks = 0, comments = 0;

        if (size == 0 || size > SIZE_MAX_FORMATTED || memchr(data, 0, size))
                return false;
        for (size_t i = 0; i < size; i++) {
                char c = data[i];
                line = c == '\n' ? 0 : line + 1;
                blanks = c == ' ' || c == '\t' ? blanks + 1 : 0;
                comments += c == '/' && i + 1 < size && (data[i + 1] == '*' || data[i + 1] == '/');
                depth += is_opening(c);
                depth -= is_closing(c) && depth > 0;
                if (line > LINE_MAX_FORMATTED || blanks > BLANKS_MAX_FORMATTED ||
                        comments > COMMENTS_MAX_FORMATTED || depth > DEPTH_MAX_FORMATTED)
                        return false;
        }
        return true;
}

int formatter_run(Formatter *formatter, Text *program) {
        _cleanup_free_ char *formatted = NULL;
        _cleanup_text_ Text masked = {};
        int r;

        if (!is_manageable(program->data, program->size))
                return 0;
        r = literals_mask(program->data, program->size, &masked);
        if (r < 0)
                return r;
        if (has_digraphs(masked.data, masked.size))
                return 0;

        formatted = formatter->format(text_string(program), OPTIONS, format_error, format_allocate);
        if (!formatted)
                return 0;
        text_clear(program);
        text_append_string(program, formatted);
        return text_error(program);
}
