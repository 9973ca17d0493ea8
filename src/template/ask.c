/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/ask.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/io.h"
#include "watchdog/transport/probe.h"

/* One question; a guest that boots has not heard it. */
#define QUESTION_USEC (5 * USEC_PER_SEC)
#define PAUSE_USEC (200 * USEC_PER_MSEC)

typedef struct Answer {
        bool came;
        int result;
} Answer;

static void on_answer(int result, void *userdata) {
        *(Answer *)userdata = (Answer){ true, result };
}

static int connect_to(const char *channel, uint64_t deadline_usec) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (strlen(channel) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, channel, strlen(channel));
        return io_connect((const struct sockaddr *)&address, sizeof(address), deadline_usec);
}

static int ask(sd_event *event, const char *channel, uint64_t deadline_usec) {
        _cleanup_close_ int fd = connect_to(channel, deadline_usec);
        _cleanup_(probe_freep) Probe *probe = NULL;
        Answer answer = {};

        int r = fd < 0 ? fd
                       : probe_new(
                                 event, fd, FRAMING_CHUNKS, NULL, QUESTION_USEC, on_answer, &answer, &probe);
        while (r >= 0 && !answer.came)
                r = sd_event_run(event, UINT64_MAX);
        return r < 0 ? r : answer.result;
}

int ask_agent(const char *channel, int pidfd, unsigned answers, uint64_t limit_usec, Text *why) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        uint64_t deadline = usec_add(now_monotonic(), limit_usec);

        int r = sd_event_new(&event);
        if (r < 0)
                return r;
        for (unsigned answered = 0; answered < answers;) {
                if (ask(event, channel, deadline) >= 0) {
                        answered++;
                        continue;
                }
                if (now_monotonic() >= deadline) {
                        text_append_printf(why, "the guest's agent did not answer within %.0f s",
                                (double)limit_usec / USEC_PER_SEC);
                        return -ETIMEDOUT;
                }
                r = io_wait(pidfd, POLLIN, usec_add(now_monotonic(), PAUSE_USEC));
                if (r != -ETIMEDOUT) {
                        text_append_string(why, "QEMU ended before the guest's agent answered");
                        return -ESRCH;
                }
        }
        return 0;
}
