/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/scan.h"
#include "snippet/source-copy.h"
#include "snippet/stages.h"

/* Whether the brace at the start is closed before the end, all braces being balanced. */
static int has_blocks(const Text *code) {
        _cleanup_source_copy_ SourceCopy copy = {};
        size_t depth = 0, closed = SIZE_MAX;
        int r;

        r = source_copy_make(code, false, &copy);
        if (r < 0)
                return r;

        for (size_t i = 0; i < copy.masked.size; i++) {
                if (copy.masked.data[i] == '{')
                        depth++;
                if (copy.masked.data[i] != '}')
                        continue;
                if (depth == 0)
                        return 0;
                if (--depth == 0 && closed == SIZE_MAX)
                        closed = i;
        }
        return depth == 0 && closed != SIZE_MAX && closed + 1 < copy.masked.size;
}

int braces_unwrap(Text *code) {
        int r;

        if (code->size < 2 || code->data[0] != '{' || code->data[code->size - 1] != '}')
                return 0;
        r = has_blocks(code);
        if (r != 0)
                return MIN(r, 0);

        text_truncate(code, code->size - 1);
        text_consume(code, 1);
        return 0;
}

void brace_hoist(Hoisted *hoisted) {
        size_t n = scan_at(hoisted->rest.data, hoisted->rest.size, 0, "};")  ? 2
                   : scan_at(hoisted->rest.data, hoisted->rest.size, 0, "}") ? 1
                                                                             : 0;

        text_append(&hoisted->functions, hoisted->rest.data, n);
        text_consume(&hoisted->rest, n);
}
