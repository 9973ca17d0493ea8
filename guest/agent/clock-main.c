/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pbotvm-guest-clock: sets the clock for the agent, see clock.h. systemd hands it the socket. */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <systemd/sd-daemon.h>

#include "clock.h"
#include "common/log.h"

/* One who connects and says nothing holds nobody up for longer. */
static void serve(int fd) {
        static const struct timeval wait = { .tv_usec = 200 * 1000 };
        ClockQuestion question;
        ClockAnswer answer = { .error = EPROTO };

        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
        if (recv(fd, &question, sizeof(question), 0) == (ssize_t)sizeof(question))
                answer.error = -clock_set_here(&question);
        (void)send(fd, &answer, sizeof(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
}

int main(void) {
        log_setup("pbotvm-guest-clock");
        if (sd_listen_fds(1) != 1 ||
                sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_SEQPACKET, 1, NULL, 0) <= 0) {
                log_error("systemd starts this with the socket of pbotvm-guest-clock.socket.");
                return EXIT_FAILURE;
        }
        for (;;) {
                _cleanup_close_ int fd = accept4(SD_LISTEN_FDS_START, NULL, NULL, SOCK_CLOEXEC);
                if (fd >= 0)
                        serve(fd);
                else if (errno != EINTR && errno != ECONNABORTED) {
                        (void)log_error_errno(-errno, "Failed to accept a connection: %m");
                        return EXIT_FAILURE;
                }
        }
}
