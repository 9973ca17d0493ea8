/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest may send: cut in pieces of any size, taken apart and judged. The first byte is the kind of
 * guest and whether the end of file follows, the second the size of a piece. */
#include <stdio.h>

#include "handler/exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const ReplyReader *reader, GuestKind guest) {
        _cleanup_reply_ Reply reply = {};
        Verdict verdict = _VERDICT_MAX;

        if (exchange_judge(reader, guest, "0123456789abcdef", &reply, &verdict) < 0)
                abort();
        if (verdict >= VERDICT_ANSWERED || verdict == VERDICT_NO_ANSWER || verdict == VERDICT_LOST)
                abort();
        /* What is not of our request never gets further. */
        if (verdict != VERDICT_PROTOCOL_ERROR && guest == GUEST_PBOTVM &&
                !streq_ptr(reply.id, "0123456789abcdef"))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(reply_reader_done) ReplyReader reader = {};

        if (size < 2)
                return 0;
        GuestKind guest = (GuestKind)(data[0] % 4);
        size_t piece = (size_t)data[1] + 1;
        bool whole = false;

        for (size_t i = 2; i < size && !whole;) {
                size_t used = 0, n = MIN(piece, size - i);
                int r = reply_reader_feed(&reader, (const char *)data + i, n, &used);
                if (r < 0 || used > n || (r == 0 && used != n))
                        abort();
                whole = r > 0;
                i += used;
        }
        if (!whole && (data[0] & 4))
                whole = reply_reader_eof(&reader) > 0;
        if (whole)
                judge(&reader, guest);
        return 0;
}
