/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/end-of-main.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Source source = {};
        _cleanup_text_ Text text = {};
        size_t offset;

        /* Of exactly that size, so that a read behind it is seen; Text adds a NUL. */
        text_append(&source.text, data, size);
        (void)end_of_main_line(&source);
        (void)source_wrapper(&source, &offset);
        for (unsigned line = 0; line < 5; line++)
                (void)source_append_statement(&source, line, &text);
        (void)source_unwrap(&source);
        source_done(&source);
        return 0;
}
