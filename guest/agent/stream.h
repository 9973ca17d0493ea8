/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One byte stream on the event loop: a connection, a virtio-serial port or a serial line. Reads into a
 * callback, buffers what is to be written. */

#include <systemd/sd-event.h>

#include "common/text.h"

typedef enum StreamKind {
        STREAM_SOCKET, /* ends for good when the peer goes */
        STREAM_PORT,   /* virtio-serial: hosts come and go, the descriptor stays good */
        STREAM_TTY,    /* tells of nobody's going */
} StreamKind;

typedef struct Stream Stream;

typedef struct StreamHandlers {
        /* Bytes have come. Must not free the stream. */
        void (*data)(Stream *stream, const char *data, size_t size, void *userdata);
        /* The peer sends nothing more, but may still read. Must not free the stream. */
        void (*eof)(Stream *stream, void *userdata);
        /* The peer has gone. lost: the descriptor is of no more use; the stream may be freed. Not lost:
         * another peer may come (STREAM_PORT); what was to be written is dropped. */
        void (*gone)(Stream *stream, bool lost, void *userdata);
        /* Somebody has left a port, and perhaps another one is there already. Must not free the stream; may
         * be NULL. */
        void (*left)(Stream *stream, void *userdata);
        /* All has been written. May free the stream; may be NULL. */
        void (*drained)(Stream *stream, void *userdata);
} StreamHandlers;

/* Takes fd, in any case. 0 or a negative errno. */
int stream_new(sd_event *event, int fd, StreamKind kind, const StreamHandlers *handlers, void *userdata,
        Stream **ret);
Stream *stream_free(Stream *stream);
DEFINE_CLEANUP(Stream *, stream_free);
StreamKind stream_kind(const Stream *stream);

/* Queues bytes; they are written as the peer takes them, from the event loop. A peer that takes nothing for
 * 30 s counts as gone. 0 or -ENOMEM. */
int stream_write(Stream *stream, const char *data, size_t size);
/* Writes now if nothing is queued and all of it goes at once, else forgets it: for what is worth nothing
 * later. Returns true if it was written. */
bool stream_write_now(Stream *stream, const char *data, size_t size);
bool stream_idle(const Stream *stream);

/* Stops reading, and goes on. */
void stream_pause(Stream *stream, bool pause);
