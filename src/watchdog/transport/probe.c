/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/transport/probe.h"

#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "common/io.h"
#include "common/request.h"

#define NONCE_SIZE 24

struct Probe {
        ProbeDone done;
        void *userdata;
        int fd; /* borrowed */
        char nonce[NONCE_SIZE + 1];
        Text question;
        ReplyReader reader;
        size_t received;
        sd_event_source *io;
        sd_event_source *timer;
};

static int make_nonce(char ret[static NONCE_SIZE + 1]) {
        uint8_t bytes[NONCE_SIZE];

        if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) != sizeof(bytes))
                return -EIO;
        for (size_t i = 0; i < NONCE_SIZE; i++)
                ret[i] = (char)('a' + bytes[i] % 26);
        ret[NONCE_SIZE] = '\0';
        return 0;
}

static int make_question(Probe *probe, Framing framing, const uint8_t *secret) {
        _cleanup_request_ Request request = REQUEST_INIT;
        _cleanup_text_ Text json = {};

        int r = make_nonce(probe->nonce);
        if (r >= 0)
                r = request_probe(
                        probe->nonce, probe->nonce, (int64_t)(now_realtime() / USEC_PER_SEC), &request);
        if (r >= 0 && secret) {
                memcpy(request.secret, secret, SECRET_SIZE);
                request.have_secret = true;
        }
        if (r >= 0)
                r = request_write(&request, false, &json);
        if (r < 0)
                return r;

        frame_append_request(&probe->question, json.data, json.size, framing);
        return text_error(&probe->question);
}

static void finish(Probe *probe, int result) {
        (void)sd_event_source_set_enabled(probe->io, SD_EVENT_OFF);
        (void)sd_event_source_set_enabled(probe->timer, SD_EVENT_OFF);
        probe->done(result, probe->userdata);
}

/* 1 when everything is written, 0 when the rest has to wait. */
static int ask(Probe *probe) {
        while (probe->question.size > 0) {
                ssize_t n = send(
                        probe->fd, probe->question.data, probe->question.size, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (n < 0)
                        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
                text_consume(&probe->question, (size_t)n);
        }
        return 1;
}

static bool is_answer(const Probe *probe) {
        const Text *object = &probe->reader.object;
        return probe->reader.have_object && memmem(object->data, object->size, probe->nonce, NONCE_SIZE);
}

/* 1 when the answer has come, 0 when more is needed. */
static int take(Probe *probe, const char *data, size_t size) {
        while (size > 0) {
                size_t used = 0;
                int r = reply_reader_feed(&probe->reader, data, size, &used);
                if (r < 0)
                        return r;
                if (r > 0) {
                        if (is_answer(probe))
                                return 1;
                        reply_reader_done(&probe->reader);
                        probe->reader = (ReplyReader){};
                }
                data += used;
                size -= used;
        }
        return 0;
}

static int listen_to(Probe *probe) {
        char buffer[4096];

        ssize_t n = recv(probe->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (n == 0)
                return -ECONNRESET;
        probe->received += (size_t)n;
        if (probe->received > PROBE_SIZE_MAX)
                return -EMSGSIZE;
        return take(probe, buffer, (size_t)n);
}

static int on_io(sd_event_source *source, int fd _unused_, uint32_t revents, void *userdata) {
        Probe *probe = userdata;
        int r = 0;

        if (revents & EPOLLOUT) {
                r = ask(probe);
                if (r > 0)
                        r = sd_event_source_set_io_events(source, EPOLLIN);
        }
        if (r >= 0 && revents & (EPOLLIN | EPOLLHUP | EPOLLERR))
                r = listen_to(probe);
        else if (r > 0)
                r = 0;
        if (r != 0)
                finish(probe, r < 0 ? r : 0);
        return 0;
}

static int on_timeout(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Probe *probe = userdata;

        /* When we were late ourselves, the answer may lie here unread. */
        int r = listen_to(probe);
        finish(probe, r > 0 ? 0 : -ETIMEDOUT);
        return 0;
}

bool probe_speaks(const Probe *probe, const char *word) {
        const Text *object = &probe->reader.object;
        return probe->reader.have_object && memmem(object->data, object->size, word, strlen(word));
}

int probe_new(sd_event *event, int fd, Framing framing, const uint8_t *secret, uint64_t limit_usec,
        ProbeDone done, void *userdata, Probe **ret) {
        _cleanup_(probe_freep) Probe *probe = calloc(1, sizeof(*probe));
        if (!probe)
                return -ENOMEM;
        probe->done = done;
        probe->userdata = userdata;
        probe->fd = fd;

        int r = make_question(probe, framing, secret);
        if (r >= 0)
                r = sd_event_add_io(event, &probe->io, fd, EPOLLIN | EPOLLOUT, on_io, probe);
        if (r >= 0)
                r = sd_event_add_time_relative(
                        event, &probe->timer, CLOCK_MONOTONIC, limit_usec, USEC_PER_MSEC, on_timeout, probe);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(probe);
        return 0;
}

Probe *probe_free(Probe *probe) {
        if (!probe)
                return NULL;
        sd_event_source_disable_unref(probe->io);
        sd_event_source_disable_unref(probe->timer);
        reply_reader_done(&probe->reader);
        text_done(&probe->question);
        free(probe);
        return NULL;
}
