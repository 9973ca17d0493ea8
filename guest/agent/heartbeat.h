/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A way for the heartbeat: a line "pbotvm SEQUENCE LOAD MEMORY" every second, and the same, then ":END", in
 * answer to each line that comes (PBot's host of 2026 asks so). Silent while the guest is sick. */

#include "stream.h"

/* SEQUENCE counts beats, LOAD is the load average in hundredths, MEMORY the free memory in KiB. */
#define BEAT_MAX 200
size_t beat_format(char *buffer, size_t size, uint64_t sequence, unsigned load, uint64_t memory_kib);
/* The same of this machine, now. */
size_t beat_now(char *buffer, size_t size, uint64_t sequence);

typedef struct Heart Heart;

typedef struct HeartHandlers {
        /* Whether the agent is able to run jobs. */
        bool (*healthy)(void *userdata);
        /* The stream has ended; frees the heart. */
        void (*closed)(Heart *heart, void *userdata);
} HeartHandlers;

/* Takes fd in any case. 0 or a negative errno. */
int heart_new(sd_event *event, int fd, StreamKind kind, const HeartHandlers *handlers, void *userdata,
        Heart **ret);
Heart *heart_free(Heart *heart);
DEFINE_CLEANUP(Heart *, heart_free);

/* A line "pbotvm journal TEXT" on that way, of BEAT_MAX bytes at most: the host takes it for no beat. Not
 * for PBot's host, which takes any line for one. */
void heart_tell(Heart *heart, const char *text);
/* Sends one beat, unless the peer takes nothing. */
void heart_beat(Heart *heart, uint64_t sequence);
