/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The client's end: one line in, one answer out. */

#include "common/text.h"

/* PBot's: the client has this long from connecting; lines that are blank do not restart it. */
#define CLIENT_LINE_USEC (5 * USEC_PER_SEC)
#define CLIENT_LINE_MAX ((size_t)1 << 20)

typedef enum ClientInput {
        CLIENT_NOTHING, /* it closed, or sent no line in time: it is not answered */
        CLIENT_LINE,
        CLIENT_TOO_LONG,
} ClientInput;

/* Reads lines from fd until one is not blank. *line: that line without its CR and LF, well-formed UTF-8,
 * malformed units replaced by U+FFFD. The end of file ends a line too. began: when the client connected,
 * CLOCK_MONOTONIC usec; crowd: how many clients there are, asked now and then of one that is slow
 * (crowd_count()). A ClientInput, or negative errno. */
int client_receive(int fd, uint64_t began, unsigned (*crowd)(void), Text *line);

/* True once the connection was reset. A client that only ended its own direction is still there. */
bool client_gone(int fd);

/* No answer is longer than what a guest may send: shown control characters make more of it. */
#define CLIENT_ANSWER_MAX ((size_t)8 << 20)

/* Sends the answer, white space at its end replaced by one LF, cut at CLIENT_ANSWER_MAX bytes, and ends the
 * connection so that what the client sent beyond its line does not make the kernel reset it and lose the
 * answer. drain_usec: how long to wait for a client that is still sending. The caller closes fd. 0 or
 * negative errno. */
int client_answer(int fd, const Text *answer, uint64_t deadline, uint64_t drain_usec);

/* The numeric address and port that fd is connected to here. 0 or -EAFNOSUPPORT or another negative errno.
 */
int client_local_address(int fd, char ret_host[static 64], uint16_t *ret_port);

/* The path of the unix socket that fd is connected to here. 0 or -EAFNOSUPPORT or another negative errno. */
int client_local_path(int fd, char ret_path[static 108]);
