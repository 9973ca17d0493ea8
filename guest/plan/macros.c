/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/macros.h"

#include <ctype.h>

static const char *const macros[] = { "dump", "print", "ptype", "whatis", "trace", "watch" };

static bool is_word(char c) {
        return isalnum((unsigned char)c) || c == '_';
}

/* Words after which a name is called, not declared. */
static bool is_keyword(const char *word, size_t size) {
        static const char *const keywords[] = { "return", "else", "do", "case", "goto", "sizeof", "throw" };

        for (size_t i = 0; i < ELEMENTSOF(keywords); i++)
                if (strlen(keywords[i]) == size && memcmp(keywords[i], word, size) == 0)
                        return true;
        return false;
}

/* Whether what stands before p (from start on) makes the name there one of the program's own: a type, as in
 * "void print(", a "#define", or what names a member. */
static bool makes_own(const char *start, const char *p) {
        const char *end;
        bool space = false;

        while (p > start && (isspace((unsigned char)p[-1]) || p[-1] == '*' || p[-1] == '&')) {
                p--;
                space = true;
        }
        if (p == start)
                return false;
        if (p[-1] == '.' || (p - start >= 2 && (memcmp(p - 2, "->", 2) == 0 || memcmp(p - 2, "::", 2) == 0)))
                return true;
        end = p;
        while (p > start && is_word(p[-1]))
                p--;
        return space && end > p && !isdigit((unsigned char)*p) && !is_keyword(p, (size_t)(end - p));
}

static bool is_own(const Text *code, const char *name) {
        const char *start = text_string(code), *end = start + code->size, *p = start;
        size_t n = strlen(name);

        while ((p = memmem(p, (size_t)(end - p), name, n))) {
                const char *after = p + n;

                if ((p == start || !is_word(p[-1])) && (after == end || !is_word(*after))) {
                        while (after < end && (*after == ' ' || *after == '\t'))
                                after++;
                        if (after < end && *after == '(' && makes_own(start, p))
                                return true;
                }
                p += n;
        }
        return false;
}

void macros_hide(const Text *code, Words *options) {
        for (size_t i = 0; i < ELEMENTSOF(macros); i++) {
                _cleanup_text_ Text option = {};

                if (!is_own(code, macros[i]))
                        continue;
                text_append_printf(&option, "-D__PBOTVM_NO_%s", macros[i]);
                words_add_string(options, text_string(&option));
        }
}
