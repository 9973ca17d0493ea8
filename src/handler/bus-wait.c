/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/bus-wait.h"

#include <poll.h>
#include <time.h>

#include "common/io.h"

int bus_wait(sd_bus *bus, int client_fd, uint64_t deadline) {
        struct pollfd p[] = { { .fd = sd_bus_get_fd(bus) }, { .fd = client_fd } };
        uint64_t until;
        struct timespec ts;
        int events = sd_bus_get_events(bus);

        if (events < 0)
                return events;
        p[0].events = (short)events;
        if (sd_bus_get_timeout(bus, &until) < 0)
                until = USEC_INFINITY;
        until = MIN(until, deadline);
        uint64_t now = now_monotonic(), left = until > now ? until - now : 0;
        ts = (struct timespec){ (time_t)(left / USEC_PER_SEC), (long)(left % USEC_PER_SEC * NSEC_PER_USEC) };

        int n = ppoll(p, client_fd >= 0 ? 2 : 1, until == USEC_INFINITY ? NULL : &ts, NULL);
        if (n < 0 && errno != EINTR)
                return -errno;
        if (n > 0 && (p[1].revents & (POLLERR | POLLHUP)))
                return -ECANCELED;
        return 0;
}

int bus_run(sd_bus *bus, const bool *done, int client_fd, uint64_t deadline) {
        while (!*done) {
                int r = sd_bus_process(bus, NULL);
                if (r < 0)
                        return r;
                if (r > 0)
                        continue;
                if (now_monotonic() >= deadline)
                        return -ETIMEDOUT;
                r = bus_wait(bus, client_fd, deadline);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A call on its way. */
typedef struct Call {
        sd_bus_message *reply;
        bool answered;
} Call;

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        Call *call = userdata;

        call->reply = sd_bus_message_ref(m);
        call->answered = true;
        return 1;
}

int bus_ask(sd_bus *bus, sd_bus_message *call, uint64_t usec, int client_fd, uint64_t deadline,
        sd_bus_message **ret) {
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        Call asked = {};

        int r = sd_bus_call_async(bus, &slot, call, on_reply, &asked, usec);
        if (r >= 0)
                r = bus_run(bus, &asked.answered, client_fd, deadline);
        *ret = asked.reply;
        return r < 0 ? r : 0;
}
