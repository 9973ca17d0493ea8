/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/diagnostics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const DiagnosticsPlace place = { "prog.c", 42, 4 };
        _cleanup_text_ Text text = {};

        diagnostics_unwrap(&text, (const char *)data, size, &place);
        (void)diagnostics_have_error((const char *)data, size, place.file, place.line);
        return 0;
}
