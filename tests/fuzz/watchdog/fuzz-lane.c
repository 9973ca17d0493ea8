/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a guest writes on a stream that has lanes. The first byte says how large the parts are in which the
 * rest arrives: what comes in the lanes must not depend on it. */

#include "common/lane.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A number that stands for all that came up to the first error. */
static uint64_t digest(const char *data, size_t size, size_t part) {
        uint64_t sums[LANES_MAX] = {}, sum = 0;
        LaneReader reader = {};

        for (size_t i = 0; i < size;) {
                LanePiece piece;
                size_t used, n = MIN(part, size - i);
                int r = lane_reader_feed(&reader, data + i, n, &used, &piece);
                if (used > n || (r == 0 && used < n))
                        abort();
                if (r < 0)
                        break;
                i += used;
                if (r == 0)
                        continue;
                if (piece.lane >= LANES_MAX)
                        abort();
                for (size_t k = 0; k < piece.size; k++)
                        sums[piece.lane] = sums[piece.lane] * 31 + (unsigned char)piece.data[k];
                if (piece.size == 0)
                        sums[piece.lane] = sums[piece.lane] * 31 + 256;
        }
        for (size_t i = 0; i < LANES_MAX; i++)
                sum = sum * 37 + sums[i];
        return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size < 1)
                return 0;
        size_t part = (size_t)data[0] + 1;
        const char *text = (const char *)data + 1;

        if (digest(text, size - 1, part) != digest(text, size - 1, size))
                abort();
        return 0;
}
