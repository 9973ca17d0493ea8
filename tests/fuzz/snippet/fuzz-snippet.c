/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The first byte chooses language and options, the rest is the snippet. Each must be completed or refused,
 * the result must not outgrow what is put around a snippet, and completing must not take out of a text what
 * it does not hold (the sanitizers' part). */

#include "snippet/snippet.h"

enum {
        FORCE_PRELUDE = 1 << 0,
        WRAP_LAST_STATEMENT = 1 << 1,
        LINE_COMMENTS = 1 << 2,
        PRELUDE = 1 << 3,
        JAVA = 1 << 4,
        CXX = 1 << 5,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(java_names_done) JavaNames names = {};
        _cleanup_text_ Text code = {}, program = {};
        SnippetOptions options;
        bool unterminated;
        int r;

        if (size < 1 || size > 64 * 1024)
                return 0;
        const SnippetStyle style = {
                .dialect = data[0] & JAVA  ? DIALECT_JAVA
                           : data[0] & CXX ? DIALECT_CXX
                                           : DIALECT_C,
                .prelude = data[0] & PRELUDE ? "#include <stdio.h>\nimport a;\n\n" : "",
                .force_prelude = data[0] & FORCE_PRELUDE,
                .wrap_last_statement = data[0] & WRAP_LAST_STATEMENT,
                .line_comments = data[0] & LINE_COMMENTS,
        };
        text_append(&code, data + 1, size - 1);
        if (snippet_take_options(&code, style.dialect, &options) < 0)
                abort();

        r = data[0] & JAVA ? snippet_complete_java(&code, &style, &options, &program, &names)
                           : snippet_complete_c(&code, &style, &options, &program, &unterminated);
        if (r != SNIPPET_COMPLETE && r != SNIPPET_UNBALANCED)
                abort();
        if (program.size > 8 * size + 1024)
                abort();
        snippet_options_done(&options);
        return 0;
}
