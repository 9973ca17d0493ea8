/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/client-link.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/io.h"
#include "common/utf8.h"
#include "handler/crowd.h"

/* What is read and thrown away at most of a client that sends more than its line. */
#define DRAIN_MAX ((size_t)64 << 20)

/* How often it is looked how many clients there are. */
#define GLANCE_USEC (200 * USEC_PER_MSEC)

static bool is_blank(const Text *line) {
        for (size_t i = 0; i < line->size;) {
                uint32_t c;
                i += utf8_unit(line->data + i, line->size - i, &c);
                if (!unicode_is_space(c))
                        return false;
        }
        return true;
}

/* Decodes the raw line. 1 if it is the request, 0 if it is blank, -ENOMEM. */
static int take_line(const char *raw, size_t size, Text *line) {
        while (size > 0 && (raw[size - 1] == '\r' || raw[size - 1] == '\n'))
                size--;
        text_clear(line);
        utf8_append_valid(line, raw, size);
        if (text_failed(line))
                return -ENOMEM;
        return is_blank(line) ? 0 : 1;
}

/* Takes whole lines off the front of buffer. A ClientInput (CLIENT_NOTHING: more is needed) or -ENOMEM. */
static int take_lines(Text *buffer, size_t scanned, Text *line) {
        const char *lf;

        while ((lf = memchr(text_string(buffer) + scanned, '\n', buffer->size - scanned))) {
                size_t size = (size_t)(lf - buffer->data);
                if (size > CLIENT_LINE_MAX)
                        return CLIENT_TOO_LONG;
                int r = take_line(buffer->data, size, line);
                if (r < 0)
                        return r;
                if (r > 0)
                        return CLIENT_LINE;
                text_consume(buffer, size + 1);
                scanned = 0;
        }
        return buffer->size > CLIENT_LINE_MAX ? CLIENT_TOO_LONG : CLIENT_NOTHING;
}

/* Waits for something to read until the client's time is over: 0, -ETIMEDOUT or another negative errno. */
static int wait_for_client(int fd, uint64_t began, unsigned (*crowd)(void)) {
        int r = io_wait(fd, POLLIN, MIN(began + CLIENT_LINE_USEC, now_monotonic() + GLANCE_USEC));

        while (r == -ETIMEDOUT) {
                uint64_t now = now_monotonic(), end = began + crowd_patience(crowd());
                if (now >= end)
                        return r;
                r = io_wait(fd, POLLIN, MIN(end, now + GLANCE_USEC));
        }
        return MIN(r, 0);
}

int client_receive(int fd, uint64_t began, unsigned (*crowd)(void), Text *line) {
        _cleanup_text_ Text buffer = {};

        for (;;) {
                size_t scanned = buffer.size;
                char *p = text_reserve(&buffer, 16384);
                if (!p)
                        return -ENOMEM;
                ssize_t n = wait_for_client(fd, began, crowd);
                if (n >= 0)
                        n = io_read(fd, p, 16384, now_monotonic());
                if (n == -ETIMEDOUT || n == -ECONNRESET)
                        return CLIENT_NOTHING;
                if (n < 0)
                        return (int)n;
                if (n == 0)
                        break;

                buffer.size += (size_t)n;
                int r = take_lines(&buffer, scanned, line);
                if (r != CLIENT_NOTHING)
                        return r;
        }

        int r = take_line(text_string(&buffer), buffer.size, line);
        return r < 0 ? r : r > 0 ? CLIENT_LINE : CLIENT_NOTHING;
}

bool client_gone(int fd) {
        struct pollfd p = { .fd = fd };
        return fd >= 0 && poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLHUP));
}

static void drain(int fd, uint64_t usec) {
        char buffer[65536];
        size_t total = 0;
        uint64_t deadline = usec_add(now_monotonic(), usec);

        while (total < DRAIN_MAX) {
                ssize_t n = usec > 0 ? io_read(fd, buffer, sizeof(buffer), deadline)
                                     : recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
                if (n <= 0)
                        return;
                total += (size_t)n;
        }
}

/* Whole characters of the answer, and a word where some are left out. */
static void append_bounded(Text *to, const char *data, size_t size) {
        size_t cut = CLIENT_ANSWER_MAX;

        if (size <= cut) {
                text_append(to, data, size);
                return;
        }
        while (cut > 0 && ((unsigned char)data[cut] & 0xc0) == 0x80)
                cut--;
        text_append(to, data, cut);
        text_append_string(to, "\n[Truncated]");
}

int client_answer(int fd, const Text *answer, uint64_t deadline, uint64_t drain_usec) {
        _cleanup_text_ Text out = {};

        append_bounded(&out, text_string(answer), utf8_trimmed_size(text_string(answer), answer->size));
        text_append_char(&out, '\n');
        if (text_failed(&out))
                return -ENOMEM;

        int r = io_write(fd, out.data, out.size, deadline);
        (void)shutdown(fd, SHUT_WR);
        drain(fd, drain_usec);
        return r;
}

int client_local_path(int fd, char ret_path[static 108]) {
        union {
                struct sockaddr any;
                struct sockaddr_un un;
        } address = {};
        socklen_t size = sizeof(address);

        if (getsockname(fd, &address.any, &size) < 0)
                return -errno;
        if (address.any.sa_family != AF_UNIX || address.un.sun_path[0] != '/')
                return -EAFNOSUPPORT;
        snprintf(ret_path, 108, "%.*s", (int)sizeof(address.un.sun_path), address.un.sun_path);
        return 0;
}

int client_local_address(int fd, char ret_host[static 64], uint16_t *ret_port) {
        struct sockaddr_storage address;
        socklen_t size = sizeof(address);
        char host[64], port[8];

        if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
                return -errno;
        if (address.ss_family != AF_INET && address.ss_family != AF_INET6)
                return -EAFNOSUPPORT;
        if (getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
                return -EAFNOSUPPORT;
        memcpy(ret_host, host, sizeof(host));
        *ret_port = (uint16_t)strtoul(port, NULL, 10);
        return 0;
}
