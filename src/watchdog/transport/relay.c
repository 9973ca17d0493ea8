/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/transport/relay.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* One direction: read from one socket, written to the other. */
typedef struct Pipe {
        char data[RELAY_BUFFER_SIZE];
        size_t begin, end;
        bool closed; /* nothing more will come in */
} Pipe;

struct Relay {
        RelayLost lost;
        void *userdata;
        int guest_fd;  /* borrowed */
        int client_fd; /* our end of the pair; -EBADF once the client is gone */
        sd_event_source *guest_io;
        sd_event_source *client_io;
        Pipe to_guest;
        Pipe to_client;
        bool told; /* lost() was called */
};

static size_t pipe_pending(const Pipe *pipe) {
        return pipe->end - pipe->begin;
}

/* Reads once. -ECONNRESET at the end of file, other negative errno, 0 when there is nothing (or no room). */
static int pipe_fill(Pipe *pipe, int fd) {
        if (pipe->end == sizeof(pipe->data))
                return 0;

        ssize_t n = recv(fd, pipe->data + pipe->end, sizeof(pipe->data) - pipe->end, MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (n == 0)
                return -ECONNRESET;
        pipe->end += (size_t)n;
        return 0;
}

static int pipe_drain(Pipe *pipe, int fd) {
        while (pipe_pending(pipe) > 0) {
                ssize_t n =
                        send(fd, pipe->data + pipe->begin, pipe_pending(pipe), MSG_DONTWAIT | MSG_NOSIGNAL);
                if (n < 0)
                        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
                pipe->begin += (size_t)n;
        }
        pipe->begin = pipe->end = 0;
        return 0;
}

static void drop_client(Relay *relay) {
        relay->client_io = sd_event_source_disable_unref(relay->client_io);
        relay->client_fd = fd_close(relay->client_fd);
        relay->to_client.begin = relay->to_client.end = 0;
}

/* The events to wait for: input where there is room, output where something waits. */
static void rearm(Relay *relay) {
        uint32_t guest = 0, client = 0;

        if (!relay->to_client.closed && relay->to_client.end < RELAY_BUFFER_SIZE)
                guest |= EPOLLIN;
        if (pipe_pending(&relay->to_guest) > 0)
                guest |= EPOLLOUT;
        if (!relay->to_guest.closed && relay->to_guest.end < RELAY_BUFFER_SIZE)
                client |= EPOLLIN;
        if (pipe_pending(&relay->to_client) > 0)
                client |= EPOLLOUT;

        /* A source without events would still report a hang-up, for ever. */
        if (relay->guest_io) {
                (void)sd_event_source_set_io_events(relay->guest_io, guest);
                (void)sd_event_source_set_enabled(relay->guest_io, guest > 0 ? SD_EVENT_ON : SD_EVENT_OFF);
        }
        if (relay->client_io) {
                (void)sd_event_source_set_io_events(relay->client_io, client);
                (void)sd_event_source_set_enabled(relay->client_io, client > 0 ? SD_EVENT_ON : SD_EVENT_OFF);
        }
}

/* Once the guest is gone and the client has all that it sent, the client gets the end of file. */
static void finish_client(Relay *relay) {
        if (relay->to_client.closed && pipe_pending(&relay->to_client) == 0 && relay->client_fd >= 0)
                drop_client(relay);
}

static void pump(Relay *relay) {
        if (relay->client_fd >= 0) {
                if (!relay->to_guest.closed && pipe_fill(&relay->to_guest, relay->client_fd) < 0)
                        relay->to_guest.closed = true;
                if (pipe_drain(&relay->to_client, relay->client_fd) < 0)
                        drop_client(relay);
        }
        if (!relay->to_client.closed) {
                if (pipe_drain(&relay->to_guest, relay->guest_fd) < 0 ||
                        pipe_fill(&relay->to_client, relay->guest_fd) < 0) {
                        relay->to_client.closed = relay->to_guest.closed = true;
                        relay->to_guest.begin = relay->to_guest.end = 0;
                        relay->guest_io = sd_event_source_disable_unref(relay->guest_io);
                }
                /* Nobody reads it any more: what came belongs to no one else either. */
                if (relay->client_fd < 0)
                        relay->to_client.begin = relay->to_client.end = 0;
                else if (pipe_drain(&relay->to_client, relay->client_fd) < 0)
                        drop_client(relay);
        }
        finish_client(relay);
        rearm(relay);
}

static int on_io(
        sd_event_source *source _unused_, int fd _unused_, uint32_t revents _unused_, void *userdata) {
        Relay *relay = userdata;

        pump(relay);
        if (relay->to_client.closed && !relay->told) {
                relay->told = true;
                relay->lost(relay, relay->userdata);
        }
        return 0;
}

int relay_new(
        sd_event *event, int guest_fd, RelayLost lost, void *userdata, Relay **ret, int *ret_client_fd) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return -errno;
        _cleanup_close_ int client_fd = pair[1];

        _cleanup_(relay_freep) Relay *relay = calloc(1, sizeof(*relay));
        if (!relay) {
                fd_close(pair[0]);
                return -ENOMEM;
        }
        relay->lost = lost;
        relay->userdata = userdata;
        relay->guest_fd = guest_fd;
        relay->client_fd = pair[0];

        int r = sd_event_add_io(event, &relay->guest_io, guest_fd, EPOLLIN, on_io, relay);
        if (r >= 0)
                r = sd_event_add_io(event, &relay->client_io, relay->client_fd, EPOLLIN, on_io, relay);
        if (r < 0)
                return r;

        *ret_client_fd = TAKE_FD(client_fd);
        *ret = TAKE_PTR(relay);
        return 0;
}

Relay *relay_free(Relay *relay) {
        if (!relay)
                return NULL;
        sd_event_source_disable_unref(relay->guest_io);
        sd_event_source_disable_unref(relay->client_io);
        fd_close(relay->client_fd);
        free(relay);
        return NULL;
}

bool relay_is_torn(const Relay *relay) {
        int waiting = 0;

        if (pipe_pending(&relay->to_guest) > 0)
                return true;
        return relay->client_fd >= 0 && ioctl(relay->client_fd, FIONREAD, &waiting) >= 0 && waiting > 0;
}
