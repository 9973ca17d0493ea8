/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of the snippet's stages share. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "snippet/stages.h"

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
