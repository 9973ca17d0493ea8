/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "channel.h"

#include "common/frame.h"
#include "common/io.h"
#include "common/log.h"
#include "lanes.h"

#define SILENCE_USEC (2 * USEC_PER_SEC)

/* The news that a host has left a port may come after the first bytes of the next one, but not by more than
 * this. */
#define NEWS_USEC (250 * USEC_PER_MSEC)

/* Bytes that wait behind the request that is being served. */
#define PENDING_MAX FRAME_SIZE_MAX

struct Channel {
        Stream *stream; /* NULL: it is in a lane */
        Lanes *in;      /* of another's stream */
        unsigned lane;
        Lanes *lanes; /* on its own stream; NULL: its host has opened none */
        uint64_t lanes_usec;
        ChannelHandlers handlers;
        void *userdata;
        char *name;
        RequestReader reader;
        Text pending;
        bool busy, eof, feeding;
        uint64_t last_used, handed_on; /* when the request that is served was handed on */
        sd_event_source *silence;
        sd_event_source *closing; /* closes in the next turn, when nothing of the stream is in use */
};

static void on_data(Stream *stream, const char *data, size_t size, void *userdata);
static void on_eof(Stream *stream, void *userdata);
static void on_gone(Stream *stream, bool lost, void *userdata);
static void on_left(Stream *stream, void *userdata);
static void on_drained(Stream *stream, void *userdata);
static int on_closing(sd_event_source *source, void *userdata);

static const StreamHandlers stream_handlers = {
        .data = on_data,
        .eof = on_eof,
        .gone = on_gone,
        .left = on_left,
        .drained = on_drained,
};

static int on_silence(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        Channel *channel = userdata;

        if (!channel->busy && request_reader_pending(&channel->reader)) {
                log_notice("%s: dropped an incomplete request after 2 s of silence.", channel->name);
                request_reader_reset(&channel->reader);
        }
        return 0;
}

static int make(
        sd_event *event, const char *name, const ChannelHandlers *handlers, void *userdata, Channel **ret) {
        _cleanup_(channel_freep) Channel *channel = calloc(1, sizeof(Channel));
        if (!channel)
                return -ENOMEM;

        channel->handlers = *handlers;
        channel->userdata = userdata;
        channel->last_used = now_monotonic();
        channel->name = strdup(name);
        if (!channel->name)
                return -ENOMEM;
        int r = sd_event_add_time_relative(
                event, &channel->silence, CLOCK_MONOTONIC, SILENCE_USEC, 0, on_silence, channel);
        if (r >= 0)
                r = sd_event_source_set_enabled(channel->silence, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(event, &channel->closing, on_closing, channel);
        if (r >= 0)
                r = sd_event_source_set_enabled(channel->closing, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(channel);
        return 0;
}

int channel_new(sd_event *event, int fd, StreamKind kind, const char *name, const ChannelHandlers *handlers,
        void *userdata, Channel **ret) {
        _cleanup_close_ int owned = fd;
        _cleanup_(channel_freep) Channel *channel = NULL;

        int r = make(event, name, handlers, userdata, &channel);
        if (r >= 0)
                r = stream_new(event, TAKE_FD(owned), kind, &stream_handlers, channel, &channel->stream);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(channel);
        return 0;
}

int channel_new_lane(sd_event *event, Lanes *lanes, unsigned lane, const char *name,
        const ChannelHandlers *handlers, void *userdata, Channel **ret) {
        int r = make(event, name, handlers, userdata, ret);
        if (r < 0)
                return r;
        (*ret)->in = lanes;
        (*ret)->lane = lane;
        return 0;
}

Channel *channel_free(Channel *channel) {
        if (!channel)
                return NULL;
        lanes_free(channel->lanes);
        if (channel->in)
                lanes_forget(channel->in, channel->lane);
        sd_event_source_disable_unref(channel->silence);
        sd_event_source_disable_unref(channel->closing);
        stream_free(channel->stream);
        request_reader_done(&channel->reader);
        text_done(&channel->pending);
        free(channel->name);
        free(channel);
        return NULL;
}

const char *channel_name(const Channel *channel) {
        return channel->name;
}

bool channel_busy(const Channel *channel) {
        return channel->busy;
}

uint64_t channel_last_used(const Channel *channel) {
        return channel->last_used;
}

static void silence_arm(Channel *channel) {
        bool waiting = !channel->busy && request_reader_pending(&channel->reader);

        if (waiting)
                (void)sd_event_source_set_time_relative(channel->silence, SILENCE_USEC);
        (void)sd_event_source_set_enabled(channel->silence, waiting ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/* Hands a whole request on. The reader is reset after the handler is through with its bytes. */
static void request_handle(Channel *channel, int r) {
        channel->busy = true;
        channel->handed_on = now_monotonic();
        if (r > 0)
                channel->handlers.request(channel, text_string(&channel->reader.content),
                        channel->reader.content.size, channel->userdata);
        else
                channel->handlers.request(channel, NULL, 0, channel->userdata);
        request_reader_reset(&channel->reader);
}

/* Feeds the reader until it is full or a request is being served. Handlers may answer at once, from within.
 */
static void feed(Channel *channel) {
        if (channel->feeding)
                return;
        channel->feeding = true;

        size_t used = 0;
        while (!channel->busy && used < channel->pending.size) {
                size_t n = 0;
                int r = request_reader_feed(
                        &channel->reader, channel->pending.data + used, channel->pending.size - used, &n);
                used += n;
                if (r == -ENOMEM) {
                        log_oom();
                        request_reader_reset(&channel->reader);
                } else if (r != 0)
                        request_handle(channel, r);
        }
        text_consume(&channel->pending, used);
        if (channel->pending.size == 0)
                text_done(&channel->pending);
        channel->feeding = false;

        /* In a lane the others must not stand still: its host, who is ours, sends no more than that. */
        if (channel->in && channel->pending.size > PENDING_MAX)
                text_done(&channel->pending);
        if (channel->stream)
                stream_pause(channel->stream, channel->busy && channel->pending.size > PENDING_MAX);
        silence_arm(channel);
}

/* A request that was being served when its host left is not the next host's: its answer would be taken for
 * that of his own first request, and so on with every later one. */
static void forsake(Channel *channel) {
        if (!channel->busy || now_monotonic() - channel->handed_on < NEWS_USEC)
                return;
        channel->busy = false;
        channel->handlers.abandoned(channel, channel->userdata);
}

static void end_lanes(Channel *channel) {
        channel->lanes = lanes_free(channel->lanes);
}

static void on_left(_unused_ Stream *stream, void *userdata) {
        Channel *channel = userdata;

        if (channel->lanes && now_monotonic() - channel->lanes_usec >= NEWS_USEC)
                end_lanes(channel);
        forsake(channel);
        feed(channel);
}

/* The bytes of lanes, if these are; how many. Whatever is none begins with another host. */
static size_t take_lanes(Channel *channel, const char *data, size_t size) {
        bool idle =
                !channel->busy && channel->pending.size == 0 && !request_reader_pending(&channel->reader);
        size_t used = 0;

        if (!channel->lanes && idle && size > 0 && *data == '@' && channel->handlers.lane) {
                LaneHandlers handlers = {
                        .open = channel->handlers.lane,
                        .feed = channel_feed,
                        .hang_up = channel_hang_up,
                        .userdata = channel->userdata,
                };
                if (lanes_new(channel->stream, &handlers, &channel->lanes) < 0)
                        log_oom();
                channel->lanes_usec = now_monotonic();
        }
        if (channel->lanes && lanes_feed(channel->lanes, data, size, &used) < 0)
                end_lanes(channel);
        return used;
}

void channel_feed(Channel *channel, const char *data, size_t size) {
        channel->last_used = now_monotonic();
        text_append(&channel->pending, data, size);
        if (text_failed(&channel->pending)) {
                log_oom();
                text_done(&channel->pending);
        }
        feed(channel);
}

void channel_hang_up(Channel *channel) {
        channel->handlers.closed(channel, channel->userdata);
}

static void on_data(Stream *stream, const char *data, size_t size, void *userdata) {
        Channel *channel = userdata;

        if (stream_kind(stream) == STREAM_PORT) {
                size_t used = take_lanes(channel, data, size);
                data += used;
                size -= used;
                if (size == 0)
                        return;
        }
        /* A port has one host at a time, who waits for his answer: a request in the meantime is the next
         * one's, of whose coming nothing tells if he came at once. On a serial line they wait for their
         * turn, as with PBot. */
        if (stream_kind(stream) == STREAM_PORT && memchr(data, '{', size))
                forsake(channel);
        channel_feed(channel, data, size);
}

static bool over(const Channel *channel) {
        return channel->eof && !channel->busy && channel->stream && stream_idle(channel->stream);
}

static int on_closing(_unused_ sd_event_source *source, void *userdata) {
        Channel *channel = userdata;

        if (over(channel))
                channel->handlers.closed(channel, channel->userdata);
        return 0;
}

static void close_if_over(Channel *channel) {
        if (over(channel))
                (void)sd_event_source_set_enabled(channel->closing, SD_EVENT_ONESHOT);
}

static void on_eof(_unused_ Stream *stream, void *userdata) {
        Channel *channel = userdata;

        channel->eof = true;
        close_if_over(channel);
}

static void on_gone(_unused_ Stream *stream, bool lost, void *userdata) {
        Channel *channel = userdata;

        end_lanes(channel);
        request_reader_reset(&channel->reader);
        text_done(&channel->pending);
        silence_arm(channel);
        if (channel->busy) {
                channel->busy = false;
                channel->handlers.abandoned(channel, channel->userdata);
        }
        stream_pause(channel->stream, false);
        if (lost)
                channel->handlers.closed(channel, channel->userdata);
}

static void on_drained(_unused_ Stream *stream, void *userdata) {
        close_if_over(userdata);
}

void channel_reply(Channel *channel, const char *json, size_t size) {
        _cleanup_text_ Text frame = {};

        channel->last_used = now_monotonic();
        frame_append_reply(&frame, json, size);
        int r = text_error(&frame);
        if (r >= 0)
                r = channel->in ? lanes_write(channel->in, channel->lane, frame.data, frame.size)
                                : stream_write(channel->stream, frame.data, frame.size);
        if (r < 0)
                log_oom();
        channel_no_reply(channel);
}

void channel_no_reply(Channel *channel) {
        channel->busy = false;
        if (!channel->feeding)
                feed(channel);
        close_if_over(channel);
}
