/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/usage.h"

#include <inttypes.h>

#include "common/utf8.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

static void append_time(Text *text, uint64_t usec) {
        if (usec < USEC_PER_SEC)
                text_append_printf(text, "%" PRIu64 " ms", usec / USEC_PER_MSEC);
        else
                text_append_printf(text, "%" PRIu64 ".%" PRIu64 " s", usec / USEC_PER_SEC,
                        usec % USEC_PER_SEC / (100 * USEC_PER_MSEC));
}

static void append_memory(Text *text, uint64_t bytes) {
        if (bytes < MIB)
                text_append_printf(text, "%" PRIu64 " KiB", bytes / KIB);
        else
                text_append_printf(text, "%" PRIu64 " MiB", bytes / MIB);
}

void usage_append(Text *answer, const Reply *reply) {
        size_t size = utf8_trimmed_size(text_string(answer), answer->size);

        if (!reply->present || size == 0)
                return;
        text_truncate(answer, size);
        text_append_string(answer, " [");
        append_time(answer, reply->wall_usec);
        if (reply->max_rss_bytes > 0) {
                text_append_string(answer, ", ");
                append_memory(answer, reply->max_rss_bytes);
        }
        text_append_string(answer, "]\n");
}
