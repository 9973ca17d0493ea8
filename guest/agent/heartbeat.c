/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heartbeat.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/sysinfo.h>

/* Questions that are answered in one turn; a flood of newlines gets no flood of answers. */
#define ANSWERS_MAX 8

struct Heart {
        Stream *stream;
        HeartHandlers handlers;
        void *userdata;
        uint64_t sequence;
};

size_t beat_format(char *buffer, size_t size, uint64_t sequence, unsigned load, uint64_t memory_kib) {
        int n = snprintf(buffer, size, "pbotvm %" PRIu64 " %u.%02u %" PRIu64 "\n", sequence, load / 100,
                load % 100, memory_kib);

        return n < 0 ? 0 : MIN((size_t)n, size - 1);
}

size_t beat_now(char *buffer, size_t size, uint64_t sequence) {
        struct sysinfo info;

        if (sysinfo(&info) < 0)
                return beat_format(buffer, size, sequence, 0, 0);
        uint64_t memory = ((uint64_t)info.freeram + info.bufferram) * info.mem_unit >> 10;
        unsigned load = (unsigned)(((uint64_t)info.loads[0] * 100) >> SI_LOAD_SHIFT);
        return beat_format(buffer, size, sequence, load, memory);
}

static void answer(Heart *heart) {
        char line[BEAT_MAX];
        size_t n = beat_now(line, sizeof(line), heart->sequence);
        _cleanup_text_ Text text = {};

        text_append(&text, line, n);
        text_append_string(&text, ":END\r\n");
        if (!text_failed(&text))
                (void)stream_write_now(heart->stream, text.data, text.size);
}

static void on_data(_unused_ Stream *stream, const char *data, size_t size, void *userdata) {
        Heart *heart = userdata;
        unsigned answers = 0;

        for (size_t i = 0; i < size && answers < ANSWERS_MAX; i++) {
                /* A sender whose tty maps newlines writes a carriage return. */
                if (data[i] != '\n' && data[i] != '\r')
                        continue;
                if (data[i] == '\r' && i + 1 < size && data[i + 1] == '\n')
                        continue;
                if (!heart->handlers.healthy(heart->userdata))
                        return;
                answer(heart);
                answers++;
        }
}

static void on_gone(_unused_ Stream *stream, bool lost, void *userdata) {
        Heart *heart = userdata;

        if (lost)
                heart->handlers.closed(heart, heart->userdata);
}

/* Whoever says nothing more may still listen. */
static void on_eof(_unused_ Stream *stream, _unused_ void *userdata) {
}

int heart_new(sd_event *event, int fd, StreamKind kind, const HeartHandlers *handlers, void *userdata,
        Heart **ret) {
        static const StreamHandlers stream_handlers = { .data = on_data, .eof = on_eof, .gone = on_gone };
        _cleanup_close_ int owned = fd;
        _cleanup_(heart_freep) Heart *heart = calloc(1, sizeof(Heart));
        if (!heart)
                return -ENOMEM;

        heart->handlers = *handlers;
        heart->userdata = userdata;
        int r = stream_new(event, TAKE_FD(owned), kind, &stream_handlers, heart, &heart->stream);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(heart);
        return 0;
}

Heart *heart_free(Heart *heart) {
        if (!heart)
                return NULL;
        stream_free(heart->stream);
        free(heart);
        return NULL;
}

void heart_beat(Heart *heart, uint64_t sequence) {
        char line[BEAT_MAX];

        heart->sequence = sequence;
        (void)stream_write_now(heart->stream, line, beat_now(line, sizeof(line), sequence));
}

void heart_tell(Heart *heart, const char *text) {
        char line[BEAT_MAX + 1];

        int n = snprintf(line, sizeof(line), "pbotvm journal %s", text);
        if (n < 0)
                return;
        n = MIN(n, BEAT_MAX);
        line[n] = '\n';
        (void)stream_write_now(heart->stream, line, (size_t)n + 1);
}
