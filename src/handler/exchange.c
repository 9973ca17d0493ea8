/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/exchange.h"

#include <sys/socket.h>

#include "common/io.h"
#include "common/utf8.h"

/* How a guest of that kind is spoken to. */
static Framing framing_of(GuestKind guest) {
        return guest == GUEST_PBOT_2023 ? FRAMING_END_MARKER : FRAMING_CHUNKS;
}

/* PBot's agents tell it by the text alone. Ours has a member, or a guest could be reverted with an echo. */
static bool ends_in_killed(const Text *result) {
        static const char killed[] = "[Killed]";
        size_t size = utf8_trimmed_size(text_string(result), result->size), n = strlen(killed);

        return size >= n && memcmp(result->data + size - n, killed, n) == 0;
}

static Verdict verdict_of_reply(const Reply *reply, GuestKind guest) {
        if (!reply->present)
                return guest != GUEST_PBOTVM && ends_in_killed(&reply->result) ? VERDICT_KILLED
                                                                               : VERDICT_CLEAN;
        if (reply->timed_out)
                return VERDICT_TIMED_OUT;
        return reply->oom || (reply->signal && streq(reply->signal, "SIGKILL")) ? VERDICT_CONTAINED
                                                                                : VERDICT_CLEAN;
}

int exchange_judge(
        const ReplyReader *reader, GuestKind guest, const char *id, Reply *reply, Verdict *verdict) {
        int r = reply_parse(reader, reply);
        if (r == -ENOMEM)
                return r;

        bool ours = r >= 0 && (guest == GUEST_PBOTVM || reply->present);
        if (r < 0 || (ours && id && !streq_ptr(reply->id, id)))
                *verdict = VERDICT_PROTOCOL_ERROR;
        else
                *verdict = verdict_of_reply(reply, guest);
        return 0;
}

/* A unix socket is reset only if its other end was closed with bytes unread: the request did not leave the
 * watchdog whole. */
static bool unread(int fd, ssize_t result) {
        int domain;
        socklen_t size = sizeof(domain);

        return result == -ECONNRESET && getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) >= 0 &&
               domain == AF_UNIX;
}

/* What came and is not yet part of a reply. */
typedef struct Inbox {
        size_t start, end;
        char bytes[65536];
} Inbox;

/* Reads until a reply is whole: EXCHANGE_REPLY, or EXCHANGE_TROUBLE with *verdict when none came, or
 * EXCHANGE_NOT_SENT, or -ENOMEM. */
static int receive(int fd, uint64_t deadline, Inbox *inbox, ReplyReader *reader, Verdict *verdict) {
        for (;;) {
                size_t used;
                int r = reply_reader_feed(
                        reader, inbox->bytes + inbox->start, inbox->end - inbox->start, &used);
                inbox->start += used;
                if (r == -ENOMEM)
                        return r;
                if (r > 0)
                        return EXCHANGE_REPLY;
                if (r < 0) {
                        *verdict = VERDICT_PROTOCOL_ERROR;
                        return EXCHANGE_TROUBLE;
                }

                ssize_t n = io_read(fd, inbox->bytes, sizeof(inbox->bytes), deadline);
                if (n == -ETIMEDOUT) {
                        *verdict = VERDICT_NO_ANSWER;
                        return EXCHANGE_TROUBLE;
                }
                if (reader->total + reader->line.size == 0 && unread(fd, n))
                        return EXCHANGE_NOT_SENT;
                if (n <= 0) {
                        *verdict = VERDICT_LOST;
                        return reply_reader_eof(reader) ? EXCHANGE_REPLY : EXCHANGE_TROUBLE;
                }
                inbox->start = 0;
                inbox->end = (size_t)n;
        }
}

static int make_frame(const Request *request, GuestKind guest, Text *frame) {
        _cleanup_text_ Text json = {};

        int r = request_write(request, false, &json);
        if (r < 0)
                return r;
        frame_append_request(frame, text_string(&json), json.size, framing_of(guest));
        return text_error(frame);
}

int exchange_run(int fd, const Request *request, GuestKind guest, bool stale, uint64_t deadline,
        Reply *reply, Verdict *verdict) {
        _cleanup_text_ Text frame = {};
        Inbox inbox;

        int r = make_frame(request, guest, &frame);
        if (r < 0)
                return r;

        r = io_write(fd, frame.data, frame.size, deadline);
        if (r == -ETIMEDOUT) {
                *verdict = VERDICT_NO_ANSWER;
                return EXCHANGE_TROUBLE;
        }
        if (r < 0)
                return EXCHANGE_NOT_SENT;

        inbox.start = inbox.end = 0;
        do {
                _cleanup_(reply_reader_done) ReplyReader reader = {};
                r = receive(fd, deadline, &inbox, &reader, verdict);
                if (r != EXCHANGE_REPLY)
                        return r;
                reply_done(reply);
                /* An agent of ours that is taken for one of PBot's was told no id. */
                r = exchange_judge(&reader, guest, request->present ? request->id : NULL, reply, verdict);
                if (r < 0)
                        return r;
        } while (stale && *verdict == VERDICT_PROTOCOL_ERROR);
        return *verdict == VERDICT_PROTOCOL_ERROR ? EXCHANGE_TROUBLE : EXCHANGE_REPLY;
}
