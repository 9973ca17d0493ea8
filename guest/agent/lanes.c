/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lanes.h"

struct Lanes {
        Stream *stream;
        LaneHandlers handlers;
        LaneReader reader;
        Channel *channels[LANES_MAX];
};

int lanes_new(Stream *stream, const LaneHandlers *handlers, Lanes **ret) {
        Lanes *lanes = calloc(1, sizeof(Lanes));
        if (!lanes)
                return -ENOMEM;
        *lanes = (Lanes){ .stream = stream, .handlers = *handlers };
        *ret = lanes;
        return 0;
}

Lanes *lanes_free(Lanes *lanes) {
        if (!lanes)
                return NULL;
        for (unsigned i = 0; i < LANES_MAX; i++)
                if (lanes->channels[i])
                        lanes->handlers.hang_up(lanes->channels[i]);
        free(lanes);
        return NULL;
}

int lanes_write(Lanes *lanes, unsigned lane, const char *data, size_t size) {
        _cleanup_text_ Text pieces = {};

        lane_append(&pieces, lane, data, size);
        return text_failed(&pieces) ? -ENOMEM : stream_write(lanes->stream, pieces.data, pieces.size);
}

void lanes_forget(Lanes *lanes, unsigned lane) {
        lanes->channels[lane] = NULL;
}

static void deliver(Lanes *lanes, const LanePiece *piece) {
        Channel **channel = &lanes->channels[piece->lane];

        if (piece->size == 0) {
                if (*channel)
                        lanes->handlers.hang_up(*channel);
                (void)lanes_write(lanes, piece->lane, "", 0);
                return;
        }
        if (!*channel)
                *channel = lanes->handlers.open(lanes, piece->lane, lanes->handlers.userdata);
        if (*channel)
                lanes->handlers.feed(*channel, piece->data, piece->size);
}

int lanes_feed(Lanes *lanes, const char *data, size_t size, size_t *ret_used) {
        *ret_used = 0;
        while (*ret_used < size) {
                LanePiece piece;
                size_t n;

                if (lane_reader_is_between(&lanes->reader) && data[*ret_used] != '@')
                        return -EBADMSG;
                int r = lane_reader_feed(&lanes->reader, data + *ret_used, size - *ret_used, &n, &piece);
                *ret_used += n;
                if (r < 0)
                        return r;
                if (r > 0)
                        deliver(lanes, &piece);
        }
        return 0;
}
