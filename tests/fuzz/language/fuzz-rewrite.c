/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a guest prints, cleaned and rewritten by all tables. The first byte chooses what is known of the
 * request. */

#include "common/io.h"
#include "common/utf8.h"
#include "language/output.h"
#include "language/rewrite.h"

#define REWRITES_DIR SOURCE_DIR "/src/language/rewrites"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const tables[] = { "c-family", "tendra", "perl", "lisp" };
static Rewrites *rewrites[ELEMENTSOF(tables)];

static void open_tables(void) {
        _cleanup_text_ Text errors = {};
        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                if (rewrites_open(REWRITES_DIR, tables[i], &rewrites[i], &errors) < 0)
                        abort();
}

/* Ours never make malformed UTF-8 of what was well-formed. */
static void check_utf8(const Text *text) {
        for (size_t i = 0; i < text->size;) {
                uint32_t c;
                i += utf8_unit(text->data + i, text->size - i, &c);
                if (c == UINT32_MAX)
                        abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_text_ Text output = {}, errors = {};
        _cleanup_parts_ Parts parts = {};
        uint8_t flags = size > 0 ? data[0] : 0;
        const RewriteContext context = { .source_file = "prog.c",
                .exec_file = "prog",
                .pasting = flags & 1,
                .unterminated = flags & 2,
                .public = flags & 4 };

        if (!rewrites[0])
                open_tables();
        if (size == 0)
                return 0;
        if (output_clean((const char *)data + 1, size - 1, NULL, flags, &output, &parts) < 0)
                abort();
        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                if (rewrites_apply(rewrites[i], &context, usec_add(now_monotonic(), USEC_PER_SEC / 2),
                            &output, &parts, &errors) < 0)
                        abort();
        check_utf8(&output);
        return 0;
}
