/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Splitting a line, joining it again, and taking its options. */

#include "language/input.h"
#include "language/options.h"
#include "language/prepare.h"
#include "language/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Words tile the text in which they are kept, and no word is lost or made up. */
static void check_words(const char *line, size_t size) {
        _cleanup_words_ Words words = {};
        _cleanup_text_ Text joined = {};
        size_t end = 0;

        if (words_split(line, size, &words) < 0)
                abort();
        for (size_t i = 0; i < words.n; i++) {
                if (words.items[i].start != end || words.items[i].end < end)
                        abort();
                end = words.items[i].end;
        }
        if (end != words.text.size || (size > 0) != (words.n > 0))
                abort();
        words_join(&words, NULL, &joined);
        /* A backslash at the end of an open quote is read twice, as PBot does. */
        if (joined.size > size + words.n + 4)
                abort();
}

static void check_options(const char *line, size_t size) {
        static const Language language = { .source_file = (char *)"prog.c",
                .exec_file = (char *)"prog",
                .command = (char *)"cc $sourcefile $options -o $execfile",
                .options = (char *)"-g",
                .arguments_in_command = true };
        _cleanup_standard_options_ StandardOptions options = {};
        _cleanup_text_ Text code = {}, typed = {}, command = {}, prepared = {};

        text_append(&code, line, size);
        if (standard_options_take(&code, &options) < 0 || command_options_take(&code, &typed) < 0 ||
                command_line(&language, &typed, "-v", text_string(&options.arguments), &command) < 0 ||
                input_unescape(&options.input) < 0 ||
                newline_escapes_expand(text_string(&code), code.size, &prepared) < 0)
                abort();
        if (prepared.size > code.size || code.size > 2 * size + 4)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        check_words((const char *)data, size);
        check_options((const char *)data, size);
        return 0;
}
