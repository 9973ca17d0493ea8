/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/libvirt/stream-pump.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "common/io.h"
#include "watchdog/libvirt/stream.h"

/* Less than what a guest that does not read lets through. */
#define SEND_SIZE 8192
#define RECEIVE_SIZE 65536
/* libvirt's thread has other guests too. */
#define RECEIVES_MAX 8
#define AGAIN_MSEC 10
/* virStreamRecv() and virStreamSend(). */
#define WOULD_BLOCK (-2)

/* How the guest's side is. */
typedef enum Inflow {
        INFLOW_OPEN,
        INFLOW_ENDED,  /* what is in the window still goes to the user */
        INFLOW_THROWN, /* the user has not taken it: what comes goes nowhere */
} Inflow;

struct StreamPump {
        virConnectPtr connection;
        virStreamPtr stream;
        int fd;               /* our end; closed with the last reference */
        pthread_mutex_t lock; /* over all below */
        unsigned refs;        /* of its owner and of each of the callbacks */
        int watch;            /* libvirt's, of fd */
        Inflow inflow;
        char *window;
        size_t begin, end, room;
        char received[RECEIVE_SIZE];
};

static void pump_unref(void *userdata) {
        StreamPump *pump = userdata;

        pthread_mutex_lock(&pump->lock);
        bool last = --pump->refs == 0;
        pthread_mutex_unlock(&pump->lock);
        if (!last)
                return;
        pthread_mutex_destroy(&pump->lock);
        fd_close(pump->fd);
        free(pump->window);
        free(pump);
}

static void pump_ref(StreamPump *pump) {
        pthread_mutex_lock(&pump->lock);
        pump->refs++;
        pthread_mutex_unlock(&pump->lock);
}

/* ---- from the guest, on libvirt's thread, with the lock held ---- */

/* The user reads what is there and then the end of file, and whoever waits for what it sends returns. */
static void hang_up(StreamPump *pump) {
        (void)shutdown(pump->fd, SHUT_RDWR);
        free(pump->window);
        pump->window = NULL;
        pump->begin = pump->end = pump->room = 0;
        virEventUpdateHandle(pump->watch, 0);
}

/* False when the user is gone. */
static bool flush(StreamPump *pump) {
        while (pump->begin < pump->end) {
                ssize_t n = send(pump->fd, pump->window + pump->begin, pump->end - pump->begin,
                        MSG_DONTWAIT | MSG_NOSIGNAL);
                if (n < 0)
                        return errno == EAGAIN || errno == EINTR;
                pump->begin += (size_t)n;
        }
        pump->begin = pump->end = 0;
        return true;
}

/* False when there is no room, or no memory. */
static bool keep(StreamPump *pump, const char *data, size_t size) {
        size_t waiting = pump->end - pump->begin, room = MAX(pump->room, (size_t)RECEIVE_SIZE);

        if (waiting + size > STREAM_WINDOW_MAX)
                return false;
        if (pump->begin > 0)
                memmove(pump->window, pump->window + pump->begin, waiting);
        pump->begin = 0;
        pump->end = waiting;
        while (room < waiting + size)
                room *= 2;
        if (room != pump->room) {
                char *larger = realloc(pump->window, room);
                if (!larger)
                        return false;
                pump->window = larger;
                pump->room = room;
        }
        memcpy(pump->window + waiting, data, size);
        pump->end += size;
        return true;
}

static void deliver(StreamPump *pump, const char *data, size_t size) {
        if (pump->inflow != INFLOW_OPEN)
                return;
        if (pump->begin == pump->end) {
                ssize_t n = send(pump->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (n > 0) {
                        data += n;
                        size -= (size_t)n;
                }
        }
        if (size > 0 && !keep(pump, data, size)) {
                pump->inflow = INFLOW_THROWN;
                hang_up(pump);
        }
}

/* What has been seen of the socket and of the stream decides what is waited for. */
static void settle(StreamPump *pump) {
        if (pump->inflow == INFLOW_THROWN)
                return;
        if (!flush(pump) || (pump->inflow == INFLOW_ENDED && pump->begin == pump->end))
                hang_up(pump);
        else
                virEventUpdateHandle(pump->watch, pump->begin < pump->end ? VIR_EVENT_HANDLE_WRITABLE : 0);
}

static void on_stream(virStreamPtr stream, int events _unused_, void *userdata) {
        StreamPump *pump = userdata;
        int n = WOULD_BLOCK;

        pthread_mutex_lock(&pump->lock);
        for (unsigned i = 0; i < RECEIVES_MAX; i++) {
                n = virStreamRecv(stream, pump->received, sizeof(pump->received));
                if (n <= 0)
                        break;
                deliver(pump, pump->received, (size_t)n);
        }
        /* A callback that stays after the end is called all the time. */
        if (n == 0 || n == -1) {
                pump->inflow = pump->inflow == INFLOW_OPEN ? INFLOW_ENDED : pump->inflow;
                (void)virStreamEventUpdateCallback(stream, 0);
        }
        settle(pump);
        pthread_mutex_unlock(&pump->lock);
}

static void on_writable(int watch _unused_, int fd _unused_, int events _unused_, void *userdata) {
        StreamPump *pump = userdata;

        pthread_mutex_lock(&pump->lock);
        settle(pump);
        pthread_mutex_unlock(&pump->lock);
}

/* Of a lost link nothing but this tells a stream that waits. From whatever thread notices it. */
static void on_closed(virConnectPtr connection _unused_, int reason _unused_, void *userdata) {
        (void)shutdown(((StreamPump *)userdata)->fd, SHUT_RDWR);
}

/* ---- to the guest ---- */

/* 0, or -1 when the stream is at its end. */
static int send_all(StreamPump *pump, const char *data, size_t size) {
        while (size > 0) {
                int n = virStreamSend(pump->stream, data, size);
                if (n == WOULD_BLOCK)
                        (void)poll(NULL, 0, AGAIN_MSEC);
                else if (n < 0)
                        return -1;
                else {
                        data += n;
                        size -= (size_t)n;
                }
        }
        return 0;
}

void stream_pump_run(StreamPump *pump) {
        char data[SEND_SIZE];

        for (;;) {
                ssize_t n = recv(pump->fd, data, sizeof(data), 0);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0 || send_all(pump, data, (size_t)n) < 0)
                        return;
        }
}

/* ---- beginning and end ---- */

/* A callback has a reference, which libvirt gives back. */
static int begin_callbacks(StreamPump *pump) {
        pump_ref(pump);
        pump->watch = virEventAddHandle(pump->fd, 0, on_writable, pump, pump_unref);
        if (pump->watch < 0) {
                pump_unref(pump);
                return -ENOMEM;
        }
        /* Not of this one: a driver without a link says that it keeps it, and never gives it back. It is
         * taken back before the owner's goes. */
        (void)virConnectRegisterCloseCallback(pump->connection, on_closed, pump, NULL);
        pump_ref(pump);
        if (virStreamEventAddCallback(pump->stream,
                    VIR_STREAM_EVENT_READABLE | VIR_STREAM_EVENT_ERROR | VIR_STREAM_EVENT_HANGUP, on_stream,
                    pump, pump_unref) < 0) {
                pump_unref(pump);
                return -EIO;
        }
        return 0;
}

int stream_pump_new(virConnectPtr connection, virStreamPtr stream, StreamPump **ret, int *ret_fd) {
        int pair[2];
        StreamPump *pump = calloc(1, sizeof(*pump));
        if (!pump)
                return -ENOMEM;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
                free(pump);
                return -errno;
        }
        pump->connection = connection;
        pump->stream = stream;
        pump->fd = pair[0];
        pump->refs = 1;
        pump->watch = -1;
        pthread_mutex_init(&pump->lock, NULL);

        int r = fd_set_nonblocking(pair[1], true);
        if (r >= 0)
                r = begin_callbacks(pump);
        if (r < 0) {
                fd_close(pair[1]);
                stream_pump_free(pump);
                return r;
        }
        *ret = pump;
        *ret_fd = pair[1];
        return 0;
}

void stream_pump_free(StreamPump *pump) {
        if (!pump)
                return;
        (void)virStreamEventRemoveCallback(pump->stream);
        (void)virConnectUnregisterCloseCallback(pump->connection, on_closed);
        pthread_mutex_lock(&pump->lock);
        hang_up(pump);
        pump->inflow = INFLOW_THROWN;
        pthread_mutex_unlock(&pump->lock);
        if (pump->watch >= 0)
                (void)virEventRemoveHandle(pump->watch);
        pump_unref(pump);
}
