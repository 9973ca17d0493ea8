/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/lane.h"

#include <ctype.h>

#include "common/hex.h"

void lane_append(Text *out, unsigned lane, const char *data, size_t size) {
        do {
                size_t n = MIN(size, LANE_PIECE_MAX);

                text_append_printf(out, "@%02x%04zx\n", lane, n);
                text_append(out, data, n);
                data += n;
                size -= n;
        } while (size > 0);
}

/* The number in hexadecimal digits, small ones, or -1. */
static int number(const char *digits, size_t n) {
        int value = 0;

        for (size_t i = 0; i < n; i++) {
                int digit = hex_value(digits[i]);
                if (digit < 0 || isupper((unsigned char)digits[i]))
                        return -1;
                value = value * 16 + digit;
        }
        return value;
}

static int head_read(LaneReader *reader) {
        int lane = number(reader->head + 1, 2), size = number(reader->head + 3, 4);

        if (reader->head[0] != '@' || reader->head[LANE_HEAD_SIZE - 1] != '\n' || lane < 0 ||
                lane >= LANES_MAX || size < 0)
                return -EBADMSG;
        reader->n = 0;
        reader->lane = (unsigned)lane;
        reader->left = (size_t)size;
        return 0;
}

int lane_reader_feed(LaneReader *reader, const char *data, size_t size, size_t *ret_used, LanePiece *ret) {
        size_t used = 0;

        if (reader->left == 0) {
                used = MIN(size, LANE_HEAD_SIZE - reader->n);
                memcpy(reader->head + reader->n, data, used);
                reader->n += used;
                *ret_used = used;
                if (reader->n < LANE_HEAD_SIZE)
                        return 0;
                int r = head_read(reader);
                if (r < 0)
                        return r;
                if (reader->left == 0) {
                        *ret = (LanePiece){ .lane = reader->lane };
                        return 1;
                }
        }

        size_t n = MIN(size - used, reader->left);
        *ret_used = used + n;
        *ret = (LanePiece){ .lane = reader->lane, .data = data + used, .size = n };
        reader->left -= n;
        return n > 0;
}

bool lane_reader_is_between(const LaneReader *reader) {
        return reader->n == 0 && reader->left == 0;
}
