/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/io.h"

#define READ_SIZE ((size_t)64 << 10)
#define STALL_USEC (30 * USEC_PER_SEC)
#define LEAVE_USEC (300 * USEC_PER_MSEC)

/* Reads in one turn, so that one stream does not keep the others waiting. */
#define READS_MAX 16

struct Stream {
        sd_event *event;
        int fd;
        StreamKind kind;
        StreamHandlers handlers;
        void *userdata;
        sd_event_source *io, *again, *stall, *leave;
        Text out;
        size_t written;
        bool paused, eof;
};

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata);

/* A virtio-serial port shows HUP as long as no host is connected, so it is watched by edges: the driver
 * wakes up its waiters when something comes and when a host comes or goes. */
static uint32_t events_wanted(const Stream *stream) {
        if (stream->kind == STREAM_PORT)
                return EPOLLIN | EPOLLOUT | EPOLLET;
        return (stream->paused || stream->eof ? 0 : (uint32_t)EPOLLIN) |
               (stream_idle(stream) ? 0 : (uint32_t)EPOLLOUT);
}

static void events_update(Stream *stream) {
        /* Setting edge-triggered events again would tell every edge again, for ever. */
        if (stream->kind != STREAM_PORT)
                (void)sd_event_source_set_io_events(stream->io, events_wanted(stream));
}

int stream_new(sd_event *event, int fd, StreamKind kind, const StreamHandlers *handlers, void *userdata,
        Stream **ret) {
        _cleanup_close_ int owned = fd;
        _cleanup_(stream_freep) Stream *stream = calloc(1, sizeof(Stream));
        if (!stream)
                return -ENOMEM;

        *stream = (Stream){
                .event = sd_event_ref(event),
                .fd = TAKE_FD(owned),
                .kind = kind,
                .handlers = *handlers,
                .userdata = userdata,
        };
        int r = fd_set_nonblocking(fd, true);
        if (r >= 0)
                r = sd_event_add_io(event, &stream->io, fd, events_wanted(stream), on_io, stream);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(stream);
        return 0;
}

Stream *stream_free(Stream *stream) {
        if (!stream)
                return NULL;
        sd_event_source_disable_unref(stream->io);
        sd_event_source_disable_unref(stream->again);
        sd_event_source_disable_unref(stream->stall);
        sd_event_source_disable_unref(stream->leave);
        sd_event_unref(stream->event);
        text_done(&stream->out);
        fd_close(stream->fd);
        free(stream);
        return NULL;
}

StreamKind stream_kind(const Stream *stream) {
        return stream->kind;
}

bool stream_idle(const Stream *stream) {
        return stream->written == stream->out.size;
}

static void out_drop(Stream *stream) {
        text_done(&stream->out);
        stream->written = 0;
        stream->stall = sd_event_source_disable_unref(stream->stall);
}

/* The last thing that is done with a stream in a turn: the handler may free it. */
static void gone(Stream *stream, bool lost) {
        out_drop(stream);
        if (lost)
                (void)sd_event_source_set_enabled(stream->io, SD_EVENT_OFF);
        stream->handlers.gone(stream, lost, stream->userdata);
}

static int on_stall(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        Stream *stream = userdata;

        gone(stream, stream->kind != STREAM_PORT);
        return 0;
}

static void stall_arm(Stream *stream) {
        if (!stream->stall)
                (void)sd_event_add_time_relative(stream->event, &stream->stall, CLOCK_MONOTONIC, STALL_USEC,
                        USEC_PER_SEC, on_stall, stream);
        else {
                (void)sd_event_source_set_time_relative(stream->stall, STALL_USEC);
                (void)sd_event_source_set_enabled(stream->stall, SD_EVENT_ONESHOT);
        }
}

static ssize_t write_some(const Stream *stream, const char *data, size_t size) {
        ssize_t n = stream->kind == STREAM_SOCKET ? send(stream->fd, data, size, MSG_NOSIGNAL)
                                                  : write(stream->fd, data, size);
        return n >= 0 ? n : errno == EINTR ? -EAGAIN : -errno;
}

/* Writes what goes. 0 or a negative errno, when the peer is gone. */
static int out_flush(Stream *stream) {
        bool progress = false;

        while (!stream_idle(stream)) {
                ssize_t n = write_some(
                        stream, stream->out.data + stream->written, stream->out.size - stream->written);
                if (n == -EAGAIN || n == 0)
                        break;
                if (n < 0)
                        return (int)n;
                stream->written += (size_t)n;
                progress = true;
        }
        if (stream_idle(stream))
                out_drop(stream);
        else if (progress)
                stall_arm(stream);
        events_update(stream);
        return 0;
}

int stream_write(Stream *stream, const char *data, size_t size) {
        bool idle = stream_idle(stream);

        text_append(&stream->out, data, size);
        if (text_failed(&stream->out)) {
                out_drop(stream);
                return -ENOMEM;
        }
        if (idle)
                stall_arm(stream);
        /* Errors are seen in the event loop, where the stream may go. */
        (void)out_flush(stream);
        return 0;
}

bool stream_write_now(Stream *stream, const char *data, size_t size) {
        if (!stream_idle(stream))
                return false;
        ssize_t n = write_some(stream, data, size);
        if (n <= 0)
                return false;
        /* A part of a line would spoil the next one. */
        if ((size_t)n < size)
                (void)stream_write(stream, data + n, size - (size_t)n);
        return true;
}

/* Returns 0 when there is nothing more for now, 1 when the turn is over but there may be more, or a negative
 * errno: -EPIPE for the end of file. */
static int read_turn(Stream *stream) {
        char buffer[READ_SIZE];

        for (unsigned i = 0; i < READS_MAX; i++) {
                if (stream->paused || stream->eof)
                        return 0;
                ssize_t n = read(stream->fd, buffer, sizeof(buffer));
                if (n == 0)
                        return -EPIPE;
                if (n < 0)
                        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
                stream->handlers.data(stream, buffer, (size_t)n, stream->userdata);
        }
        return 1;
}

static int on_again(_unused_ sd_event_source *source, void *userdata) {
        Stream *stream = userdata;

        return on_io(NULL, stream->fd, EPOLLIN, stream);
}

/* Reads on in the next turn: an edge is told only once. */
static void read_again(Stream *stream) {
        if (!stream->again)
                (void)sd_event_add_defer(stream->event, &stream->again, on_again, stream);
        else
                (void)sd_event_source_set_enabled(stream->again, SD_EVENT_ONESHOT);
}

static bool port_deserted(const Stream *stream) {
        struct pollfd p = { .fd = stream->fd };

        return poll(&p, 1, 0) > 0 && p.revents & POLLHUP;
}

static int on_leave(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        Stream *stream = userdata;
        char buffer[READ_SIZE];

        if (!port_deserted(stream))
                return 0;
        /* What lies there unread is of the one who left. */
        for (unsigned i = 0; i < READS_MAX; i++)
                if (read(stream->fd, buffer, sizeof(buffer)) <= 0)
                        break;
        gone(stream, false);
        return 0;
}

/* A host seems to have left a port. The driver tells of it late: the first bytes of the next host may have
 * come, and been read, before the news that the one before has gone. So only one who is not followed soon
 * has left. */
static void port_leave(Stream *stream) {
        if (stream->handlers.left)
                stream->handlers.left(stream, stream->userdata);
        if (!stream->leave) {
                (void)sd_event_add_time_relative(stream->event, &stream->leave, CLOCK_MONOTONIC, LEAVE_USEC,
                        50 * USEC_PER_MSEC, on_leave, stream);
                return;
        }
        (void)sd_event_source_set_time_relative(stream->leave, LEAVE_USEC);
        (void)sd_event_source_set_enabled(stream->leave, SD_EVENT_ONESHOT);
}

static void ended(Stream *stream, uint32_t events, int r) {
        switch (stream->kind) {
        case STREAM_PORT:
                if (r == -EPIPE)
                        port_leave(stream);
                else
                        gone(stream, true);
                break;
        case STREAM_TTY:
                gone(stream, true);
                break;
        case STREAM_SOCKET:
                if (r == -EPIPE && !(events & (EPOLLHUP | EPOLLERR))) {
                        stream->eof = true;
                        events_update(stream);
                        stream->handlers.eof(stream, stream->userdata);
                } else
                        gone(stream, true);
                break;
        }
}

static int on_io(_unused_ sd_event_source *source, _unused_ int fd, uint32_t events, void *userdata) {
        Stream *stream = userdata;
        bool wrote = !stream_idle(stream);

        if (stream->kind == STREAM_PORT && events & EPOLLHUP)
                port_leave(stream);

        if (events & EPOLLOUT) {
                int r = out_flush(stream);
                if (r < 0) {
                        gone(stream, stream->kind != STREAM_PORT);
                        return 0;
                }
        }

        int r = read_turn(stream);
        if (r > 0)
                read_again(stream);
        if (r < 0) {
                ended(stream, events, r);
                return 0;
        }
        if (stream->kind != STREAM_PORT && events & (EPOLLHUP | EPOLLERR) && r == 0) {
                gone(stream, true);
                return 0;
        }
        if (wrote && stream_idle(stream) && stream->handlers.drained)
                stream->handlers.drained(stream, stream->userdata);
        return 0;
}

void stream_pause(Stream *stream, bool pause) {
        if (stream->paused == pause)
                return;
        stream->paused = pause;
        events_update(stream);
        if (!pause)
                read_again(stream);
}
