/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A way for requests: reads them one after the other from a byte stream, hands each on, and reads the next
 * when it has been answered. An incomplete request is dropped after 2 s of silence. */

#include "stream.h"

typedef struct Channel Channel;
typedef struct Lanes Lanes;

typedef struct ChannelHandlers {
        /* A whole request's JSON; answered later by channel_reply(). size 0 and json NULL: it was larger
         * than a frame may be. */
        void (*request)(Channel *channel, const char *json, size_t size, void *userdata);
        /* Whoever asked has gone: nobody waits for an answer to what was handed on. */
        void (*abandoned)(Channel *channel, void *userdata);
        /* A host has begun to write in a lane of its own: another channel, by channel_new_lane(); NULL if
         * there can be none. Channels without this one know no lanes. */
        Channel *(*lane)(Lanes *lanes, unsigned lane, void *userdata);
        /* The stream has ended; frees the channel. Called last. */
        void (*closed)(Channel *channel, void *userdata);
} ChannelHandlers;

/* Takes fd in any case. name is for the log. 0 or a negative errno. */
int channel_new(sd_event *event, int fd, StreamKind kind, const char *name, const ChannelHandlers *handlers,
        void *userdata, Channel **ret);
/* One in a lane of another's stream, and for as long as that lane lasts. */
int channel_new_lane(sd_event *event, Lanes *lanes, unsigned lane, const char *name,
        const ChannelHandlers *handlers, void *userdata, Channel **ret);
Channel *channel_free(Channel *channel);
DEFINE_CLEANUP(Channel *, channel_free);
const char *channel_name(const Channel *channel);

/* Sends the answer to the request that was handed on, the JSON of a reply, and goes on with the next. */
void channel_reply(Channel *channel, const char *json, size_t size);
/* There will be no answer. */
void channel_no_reply(Channel *channel);

/* For the lane of a channel: what came in it; its end, with which the channel closes. */
void channel_feed(Channel *channel, const char *data, size_t size);
void channel_hang_up(Channel *channel);

/* True while a request is handed on and not answered. */
bool channel_busy(const Channel *channel);
/* When the last bytes came or went, CLOCK_MONOTONIC in usec. */
uint64_t channel_last_used(const Channel *channel);
