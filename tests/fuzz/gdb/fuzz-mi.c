/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/mi.h"
#include "gdb/tell.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_mi_record_ MiRecord *record = NULL;
        _cleanup_text_ Text text = {};

        if (mi_parse((const char *)data, size, &record) < 0)
                return 0;
        tell_frame(&text, mi_member(&record->results, "frame"), NULL);
        tell_printed(&text, &record->stream);
        tell_type(&text, &record->stream);
        return 0;
}
