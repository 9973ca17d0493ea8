/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "common/io.h"

#define TICK_USEC (1 * USEC_PER_SEC)

int interrupt_open(void) {
        sigset_t signals;

        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;
        int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        return fd < 0 ? -errno : fd;
}

bool interrupt_seen(int fd) {
        return io_wait(fd, POLLIN, now_monotonic()) > 0;
}

int interrupt_sleep(int fd, uint64_t usec) {
        return io_wait(fd, POLLIN, usec_add(now_monotonic(), usec)) > 0 ? -EINTR : 0;
}

/* Waits for the bus or a signal, for a tick at most: 0, -EINTR or another negative errno. */
static int wait_for_bus(sd_bus *bus, int fd) {
        int events = sd_bus_get_events(bus);
        uint64_t until = USEC_INFINITY, now = now_monotonic();

        int r = events < 0 ? events : sd_bus_get_timeout(bus, &until);
        if (r < 0)
                return r;
        struct pollfd fds[] = {
                { .fd = sd_bus_get_fd(bus), .events = (short)events },
                { .fd = fd, .events = POLLIN },
        };
        uint64_t usec = MIN(until > now ? until - now : 0, TICK_USEC);
        if (poll(fds, ELEMENTSOF(fds), (int)((usec + USEC_PER_MSEC - 1) / USEC_PER_MSEC)) < 0)
                return errno == EINTR ? 0 : -errno;
        return fds[1].revents ? -EINTR : 0;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        *(sd_bus_message **)userdata = sd_bus_message_ref(reply);
        return 0;
}

static int wait_for_reply(
        sd_bus *bus, int fd, sd_bus_message *const *reply, void (*tick)(void *userdata), void *userdata) {
        uint64_t next = usec_add(now_monotonic(), TICK_USEC);

        while (!*reply) {
                int r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = wait_for_bus(bus, fd);
                if (r < 0)
                        return r;
                if (!*reply && now_monotonic() >= next) {
                        tick(userdata);
                        next = usec_add(now_monotonic(), TICK_USEC);
                }
        }
        return 0;
}

int interrupt_call(Ctl *ctl, int fd, sd_bus_message *message, uint64_t timeout_usec, const char *what,
        void (*tick)(void *userdata), void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        sd_bus_slot *slot = NULL;

        int r = sd_bus_call_async(ctl->bus, &slot, message, on_reply, &reply, timeout_usec);
        if (r >= 0)
                r = wait_for_reply(ctl->bus, fd, &reply, tick, userdata);
        sd_bus_slot_unref(slot);
        if (r == -EINTR)
                return r;
        if (r < 0)
                return ctl_failure(r, what);
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        return error ? ctl_refusal(ctl, error, -EIO, what) : 0;
}
