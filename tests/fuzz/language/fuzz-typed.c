/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finding literals and comments in what was typed, its options, and its newlines. */

#include "language/input.h"
#include "language/options.h"
#include "language/prepare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Spans follow one another, lie in the text, and end. */
static void check_spans(const Syntax *syntax, const char *code, size_t size, bool open_ended) {
        SyntaxScan scan = syntax_scan(syntax, code, size, open_ended);
        SyntaxSpan span;

        for (size_t from = 0; syntax_next(&scan, &span); from = span.end)
                if (span.start < from || span.end <= span.start || span.end > size)
                        abort();
}

static const Language *language_number(unsigned n) {
        static const char *const names[] = { "c11", "c++", "java", "sh", "python3", "lua", "haskell",
                "scheme", "javascript", "perl", "ruby", "php", "tcl", "go", "bc", "bf" };
        static const char *const directories[] = { SOURCE_DIR "/src/language/data", NULL };
        static Language *languages[ELEMENTSOF(names)];
        _cleanup_text_ Text errors = {};

        n %= ELEMENTSOF(names);
        if (!languages[n] && language_open(directories, names[n], &languages[n], &errors) < 0)
                abort();
        return languages[n];
}

static void check_options(const Language *language, const char *line, size_t size) {
        _cleanup_standard_options_ StandardOptions options = {};
        _cleanup_text_ Text code = {}, typed = {}, command = {}, prepared = {};

        text_append(&code, line, size);
        (void)options_begin(language, &code);
        if (standard_options_take(language_syntax(language), &code, &options) < 0 ||
                command_options_take(language, &code, &typed) < 0 ||
                command_line(language, &typed, "-v", text_string(&options.arguments), &command) < 0 ||
                input_unescape(&options.input) < 0 ||
                newline_escapes_expand(language_syntax(language), text_string(&code), code.size, &prepared) <
                        0)
                abort();
        if (prepared.size > code.size || code.size > size || opening_add(language, &prepared) < 0)
                abort();
}

/* The first byte chooses the language. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const Language *language = language_number(size > 0 ? data[0] : 0);
        const char *code = (const char *)data + (size > 0);

        size -= size > 0;
        check_spans(language_syntax(language), code, size, false);
        check_spans(language_syntax(language), code, size, true);
        check_options(language, code, size);
        return 0;
}
