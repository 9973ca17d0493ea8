/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clock.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#define WAIT_MSEC 500

int clock_set_here(const ClockQuestion *question) {
        struct timespec t = { .tv_sec = (time_t)question->seconds, .tv_nsec = (long)question->nanoseconds };

        return clock_settime(CLOCK_REALTIME, &t) < 0 ? -errno : 0;
}

static int clock_ask(const ClockQuestion *question) {
        static const struct timeval wait = { .tv_usec = WAIT_MSEC * 1000 };
        static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = CLOCK_SOCKET };
        ClockAnswer answer;

        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
                setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
                send(fd, question, sizeof(*question), MSG_NOSIGNAL) < 0)
                return -errno;
        ssize_t n = recv(fd, &answer, sizeof(answer), 0);
        if (n < 0)
                return errno == EAGAIN ? -ETIMEDOUT : -errno;
        return n != (ssize_t)sizeof(answer) ? -EPROTO : -answer.error;
}

int clock_set(const ClockQuestion *question) {
        int r = clock_set_here(question);

        return r == -EPERM ? clock_ask(question) : r;
}
