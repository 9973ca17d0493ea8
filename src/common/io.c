/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/io.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>

static uint64_t clock_usec(clockid_t clock) {
        struct timespec t;
        (void)clock_gettime(clock, &t);
        return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / NSEC_PER_USEC;
}

uint64_t now_monotonic(void) {
        return clock_usec(CLOCK_MONOTONIC);
}

uint64_t now_realtime(void) {
        return clock_usec(CLOCK_REALTIME);
}

uint64_t usec_add(uint64_t a, uint64_t b) {
        uint64_t sum;
        return __builtin_add_overflow(a, b, &sum) ? USEC_INFINITY : sum;
}

int io_wait(int fd, short events, uint64_t deadline_usec) {
        struct pollfd p = { .fd = fd, .events = events };

        for (;;) {
                struct timespec left, *timeout = NULL;
                if (deadline_usec != USEC_INFINITY) {
                        uint64_t now = now_monotonic();
                        uint64_t usec = deadline_usec > now ? deadline_usec - now : 0;
                        left = (struct timespec){
                                .tv_sec = (time_t)(usec / USEC_PER_SEC),
                                .tv_nsec = (long)(usec % USEC_PER_SEC * NSEC_PER_USEC),
                        };
                        timeout = &left;
                }

                int n = ppoll(&p, 1, timeout, NULL);
                if (n > 0)
                        return p.revents & POLLNVAL ? -EBADF : p.revents;
                if (n == 0)
                        return -ETIMEDOUT;
                if (errno != EINTR)
                        return -errno;
        }
}

int io_connect(const struct sockaddr *address, socklen_t size, uint64_t deadline_usec) {
        _cleanup_close_ int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        socklen_t error_size = sizeof(int);
        int error = 0;

        if (fd < 0)
                return -errno;
        if (connect(fd, address, size) >= 0)
                return TAKE_FD(fd);
        if (errno != EINPROGRESS)
                return -errno;
        int r = io_wait(fd, POLLOUT, deadline_usec);
        if (r < 0)
                return r;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) < 0)
                return -errno;
        return error ? -error : TAKE_FD(fd);
}

ssize_t io_read(int fd, void *buffer, size_t size, uint64_t deadline_usec) {
        for (;;) {
                int r = io_wait(fd, POLLIN, deadline_usec);
                if (r < 0)
                        return r;

                ssize_t n = read(fd, buffer, size);
                if (n >= 0)
                        return n;
                if (errno != EINTR && errno != EAGAIN)
                        return -errno;
        }
}

/* A socket is written without SIGPIPE and without blocking; anything else as it is. */
static ssize_t write_some(int fd, const void *data, size_t size) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == ENOTSOCK)
                n = write(fd, data, size);
        return n;
}

int io_write(int fd, const void *data, size_t size, uint64_t deadline_usec) {
        const char *p = data;

        while (size > 0) {
                ssize_t n = write_some(fd, p, size);
                if (n >= 0) {
                        p += n;
                        size -= (size_t)n;
                        continue;
                }
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return -errno;

                int r = io_wait(fd, POLLOUT, deadline_usec);
                if (r < 0)
                        return r;
        }
        return 0;
}

int io_read_file(int dir_fd, const char *path, size_t max, Text *text) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;

        _cleanup_text_ Text content = {};
        for (;;) {
                char *p = text_reserve(&content, 4096);
                if (!p)
                        return -ENOMEM;
                ssize_t n = read(fd, p, 4096);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                content.size += (size_t)n;
                if (content.size > max)
                        return -EFBIG;
        }

        text_move(text, &content);
        return 0;
}

int io_write_file(const char *path, const void *data, size_t size, mode_t mode) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

        return fd < 0 ? -errno : io_write(fd, data, size, USEC_INFINITY);
}

int io_make_directories(const char *path) {
        _cleanup_free_ char *parent = strdup(path);

        if (!parent)
                return -ENOMEM;
        for (char *slash = strchr(parent + (*parent == '/'), '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                (void)mkdir(parent, 0700); /* a failure shows at the last one */
                *slash = '/';
        }
        return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int fd_set_nonblocking(int fd, bool nonblocking) {
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0)
                return -errno;
        int wanted = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
        return wanted == flags || fcntl(fd, F_SETFL, wanted) >= 0 ? 0 : -errno;
}
