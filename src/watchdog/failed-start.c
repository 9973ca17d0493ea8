/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/failed-start.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "common/io.h"

#define FILE_NAME "failed-starts"
#define WAIT_FIRST_USEC (200 * USEC_PER_MSEC)
#define WAIT_MAX_USEC (10 * USEC_PER_SEC)
#define WAIT_UNKNOWN_USEC (5 * USEC_PER_SEC)
/* More make no difference. */
#define COUNT_MAX 10

/* How often it has failed before; this one is added. Negative errno if nobody will know the next time. */
static int count(int run_fd) {
        _cleanup_text_ Text text = {};
        char number[16];

        int r = io_read_file(run_fd, FILE_NAME, 16, &text);
        if (r < 0 && r != -ENOENT)
                return r;
        int n = (int)MIN(strtoul(text_string(&text), NULL, 10), COUNT_MAX);

        _cleanup_close_ int fd =
                openat(run_fd, FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        int size = snprintf(number, sizeof(number), "%i\n", n + 1);
        r = io_write(fd, number, (size_t)size, USEC_INFINITY);
        return r < 0 ? r : n;
}

void failed_start_wait(int run_fd) {
        int n = run_fd >= 0 ? count(run_fd) : -EBADF;
        uint64_t usec = n < 0 ? WAIT_UNKNOWN_USEC : MIN(WAIT_FIRST_USEC << n, WAIT_MAX_USEC);
        struct timespec ts = { (time_t)(usec / USEC_PER_SEC), (long)(usec % USEC_PER_SEC * NSEC_PER_USEC) };
        sigset_t signals;

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        (void)sigtimedwait(&signals, NULL, &ts);
}

void failed_start_forget(int run_fd) {
        (void)unlinkat(run_fd, FILE_NAME, 0);
}
