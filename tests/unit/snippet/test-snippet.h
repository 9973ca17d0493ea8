/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of snippets share. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "snippet/snippet.h"

static inline Text text_of(const char *string) {
        Text text = {};

        text_append_string(&text, string);
        assert_false(text_failed(&text));
        return text;
}

/* On a difference both texts are seen, not only that there is one. */
static inline void assert_text(const char *what, const Text *text, const char *expected) {
        if (!text_equals(text, expected))
                print_error("for \"%s\":\n", what);
        assert_string_equal(text_string(text), expected);
        assert_int_equal(text->size, strlen(expected));
}

/* Each run of white space becomes one blank. */
static inline Text squeezed(const Text *text) {
        Text to = {};

        for (size_t i = 0; i < text->size; i++)
                if (!memchr(" \t\n\r", text->data[i], 4))
                        text_append_char(&to, text->data[i]);
                else if (to.size > 0 && to.data[to.size - 1] != ' ')
                        text_append_char(&to, ' ');
        return to;
}

/* What stands behind the prelude, squeezed, with "|" in place of main()'s head, and without its end. */
static inline Text program_shape(
        const Text *program, const char *prelude, const char *head, const char *end) {
        _cleanup_text_ Text all = squeezed(program);
        const char *text = text_string(&all);
        Text shape = {};

        if (strncmp(text, prelude, strlen(prelude)) == 0)
                text += strlen(prelude);
        const char *at = strstr(text, head);
        if (!at) {
                text_append_string(&shape, text);
                return shape;
        }
        text_append(&shape, text, (size_t)(at - text));
        text_append_string(&shape, "|");
        at += strlen(head);
        size_t n = strlen(at);
        text_append(&shape, at, n >= strlen(end) ? n - strlen(end) : n);
        return shape;
}
