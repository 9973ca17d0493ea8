/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Several conversations side by side on one byte stream: each piece of one follows a head of 8 bytes, "@",
 * the lane's number in 2 and the piece's size in 4 hexadecimal digits, and a newline. The host opens a lane
 * by writing to it. A piece of size 0 ends it: from the host it takes the lane back, whatever was going on
 * in it, and the guest answers with the same, after which nothing more of that conversation comes. What a
 * lane carries is a request or a reply as it is without lanes. */

#include "common/text.h"

#define LANES_MAX 64
#define LANE_HEAD_SIZE 8
/* Of what is written; up to 65535 bytes are read. */
#define LANE_PIECE_MAX ((size_t)16 << 10)

/* Appends the pieces of data; of size 0: the end. */
void lane_append(Text *out, unsigned lane, const char *data, size_t size);

typedef struct LaneReader {
        char head[LANE_HEAD_SIZE];
        size_t n;    /* bytes of the head that are there */
        size_t left; /* bytes of the piece that are to come */
        unsigned lane;
} LaneReader;

/* A part of what came in one lane; it points into what was fed. */
typedef struct LanePiece {
        unsigned lane;
        const char *data;
        size_t size; /* 0: the lane ends */
} LanePiece;

/* Takes bytes up to the end of a piece or of what there is: *ret_used says how many. 1 with *ret, 0 when
 * more is needed, -EBADMSG when this is no head. */
int lane_reader_feed(LaneReader *reader, const char *data, size_t size, size_t *ret_used, LanePiece *ret);
/* True between two pieces. */
bool lane_reader_is_between(const LaneReader *reader);
