/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The guest's side of lanes (common/lane.h): a channel for each conversation that the host has opened on one
 * stream. */

#include "channel.h"
#include "common/lane.h"

typedef struct LaneHandlers {
        /* The host has begun to write in a lane: a channel for it by channel_new_lane(), or NULL if there
         * can be none, and its host waits in vain. */
        Channel *(*open)(Lanes *lanes, unsigned lane, void *userdata);
        /* What came in the lane of that channel, and its end. */
        void (*feed)(Channel *channel, const char *data, size_t size);
        void (*hang_up)(Channel *channel);
        void *userdata; /* of open */
} LaneHandlers;

/* stream: borrowed. 0 or -ENOMEM. */
int lanes_new(Stream *stream, const LaneHandlers *handlers, Lanes **ret);
/* Whoever was in them has gone. */
Lanes *lanes_free(Lanes *lanes);
DEFINE_CLEANUP(Lanes *, lanes_free);

/* Takes what has come; *ret_used says how much. 0, or -EBADMSG where a head should be and is none: another
 * host, who knows nothing of the lanes of the one before. */
int lanes_feed(Lanes *lanes, const char *data, size_t size, size_t *ret_used);
/* 0 or -ENOMEM. */
int lanes_write(Lanes *lanes, unsigned lane, const char *data, size_t size);
/* The channel of a lane is no more. */
void lanes_forget(Lanes *lanes, unsigned lane);
