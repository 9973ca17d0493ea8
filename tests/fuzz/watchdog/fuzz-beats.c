/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a guest writes on its heartbeat line. The first byte of the input says which kind of guest is
 * expected, the second how large the pieces are in which the rest arrives. */

#include "watchdog/transport/heartbeat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const Heartbeat *h) {
        size_t n = strnlen(h->last, sizeof(h->last));

        if (n > BEAT_SIZE_MAX || h->line_size > BEAT_SIZE_MAX)
                abort();
        for (size_t i = 0; i < n; i++)
                if (h->last[i] < ' ' || h->last[i] > '~')
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        uint64_t now = USEC_PER_SEC;
        Heartbeat h;

        if (size < 2)
                return 0;
        GuestKind kind = (GuestKind)(data[0] % 4);
        size_t piece = (size_t)data[1] + 1;
        data += 2;
        size -= 2;

        heartbeat_init(&h, kind, 0);
        heartbeat_connected(&h, now);
        while (size > 0) {
                size_t n = MIN(piece, size);
                bool beat = heartbeat_feed(&h, (const char *)data, n, now);
                if (beat && !heartbeat_is_beating(&h, now))
                        abort();
                if (kind != GUEST_UNKNOWN && h.kind != kind)
                        abort();
                (void)heartbeat_ask(&h, now);
                check(&h);
                data += n;
                size -= n;
                now += USEC_PER_SEC / 3;
        }
        return 0;
}
