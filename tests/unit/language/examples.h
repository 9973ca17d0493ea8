/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* examples.json: what PBot's own programs gave for single stages. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "common/io.h"
#include "common/json.h"

#define EXAMPLES_FILE SOURCE_DIR "/tests/compat/examples.json"

static inline Json *examples_load(void) {
        _cleanup_text_ Text content = {};
        Json *json = NULL;

        assert_int_equal(io_read_file(AT_FDCWD, EXAMPLES_FILE, (size_t)4 << 20, &content), 0);
        assert_int_equal(json_parse(text_string(&content), content.size, JSON_LIMITS_FILE, &json, NULL), 0);
        return json;
}

/* Appends a string member, or nothing. */
static inline void append_member(Text *text, const Json *json, const char *name) {
        size_t size;
        const char *string = json_string(json_member(json, name), &size);
        if (string)
                text_append(text, string, size);
}

static inline void assert_text_equal(const Text *got, const char *data, size_t size) {
        if (got->size == size && memcmp(text_string(got), data, size) == 0)
                return;
        print_error("expected [%.*s]\n", (int)size, data);
        print_error("got      [%s]\n", text_string(got));
        fail();
}

/* The same for a C string. */
#define assert_text(text, string) assert_text_equal((text), (string), strlen(string))
