/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading and writing against a deadline. Deadlines are CLOCK_MONOTONIC in usec, USEC_INFINITY means none.
 */

#include <sys/socket.h>
#include <sys/types.h>

#include "common/text.h"

/* Now, CLOCK_MONOTONIC, usec. */
uint64_t now_monotonic(void);
/* Now, CLOCK_REALTIME, usec since 1970. */
uint64_t now_realtime(void);
/* now + usec, USEC_INFINITY if either is that or the sum overflows. */
uint64_t usec_add(uint64_t a, uint64_t b);

/* Waits until fd shows events (POLLIN, POLLOUT). Returns the poll revents (>0), -ETIMEDOUT or another error.
 */
int io_wait(int fd, short events, uint64_t deadline_usec);

/* Connects a stream socket: an fd that does not block, -ETIMEDOUT, or another negative errno. */
int io_connect(const struct sockaddr *address, socklen_t size, uint64_t deadline_usec);

/* Reads what is there, waiting for the first byte: the number of bytes, 0 at the end of file, -ETIMEDOUT or
 * another negative errno. fd may be blocking or not. */
ssize_t io_read(int fd, void *buffer, size_t size, uint64_t deadline_usec);

/* Writes all of it: 0, -ETIMEDOUT, -EPIPE (no signal is raised on sockets), or another negative errno. */
int io_write(int fd, const void *data, size_t size, uint64_t deadline_usec);

/* Reads the file at path below dir_fd (AT_FDCWD: the working directory) whole. -EFBIG if it is larger than
 * max bytes, other negative errno. *text is replaced. */
int io_read_file(int dir_fd, const char *path, size_t max, Text *text);

/* Writes a file of exactly these bytes, made with the mode unless it is there. 0 or a negative errno: then
 * what it holds is undefined. */
int io_write_file(const char *path, const void *data, size_t size, mode_t mode);

/* Makes a directory, and those above it that are missing, for their owner alone (0700). 0, also if it is
 * there, or a negative errno. */
int io_make_directories(const char *path);

int fd_set_nonblocking(int fd, bool nonblocking);
