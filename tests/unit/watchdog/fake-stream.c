/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Streams of libvirt's test driver, which has none: a channel is the unix socket "data" or "heart" in the
 * folder that PBOTVM_TEST_CHANNELS names. As with a real one, sending blocks while the guest does not read,
 * and receiving does not. */

#include <libvirt/libvirt.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/macro.h"

#define FAKES_MAX 16

typedef struct Fake {
        virStreamPtr stream; /* NULL: free */
        int fd;
        int watch;
        virStreamEventCallback callback;
        void *userdata;
        virFreeCallback free;
} Fake;

static Fake fakes[FAKES_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* NULL: a free one. */
static Fake *find(virStreamPtr stream) {
        Fake *found = NULL;

        pthread_mutex_lock(&lock);
        for (size_t i = 0; !found && i < FAKES_MAX; i++)
                if (fakes[i].stream == stream)
                        found = &fakes[i];
        pthread_mutex_unlock(&lock);
        return found;
}

int __wrap_virDomainOpenChannel(virDomainPtr domain, const char *name, virStreamPtr stream, unsigned flags);
int __wrap_virDomainOpenChannel(
        virDomainPtr domain _unused_, const char *name, virStreamPtr stream, unsigned flags _unused_) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        Fake *fake = find(NULL);

        snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", getenv("PBOTVM_TEST_CHANNELS"),
                strstr(name, "heart") ? "heart" : "data");
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
                fd_close(fd);
                return -1;
        }
        *fake = (Fake){ .stream = stream, .fd = fd, .watch = -1 };
        return 0;
}

int __wrap_virStreamSend(virStreamPtr stream, const char *data, size_t size);
int __wrap_virStreamSend(virStreamPtr stream, const char *data, size_t size) {
        return (int)send(find(stream)->fd, data, size, MSG_NOSIGNAL);
}

int __wrap_virStreamRecv(virStreamPtr stream, char *data, size_t size);
int __wrap_virStreamRecv(virStreamPtr stream, char *data, size_t size) {
        ssize_t n = recv(find(stream)->fd, data, size, MSG_DONTWAIT);

        return n < 0 && errno == EAGAIN ? -2 : (int)n;
}

static void on_fd(int watch _unused_, int fd _unused_, int events _unused_, void *userdata) {
        Fake *fake = userdata;

        fake->callback(fake->stream, VIR_STREAM_EVENT_READABLE, fake->userdata);
}

/* After the watch has gone nothing of it is called any more. */
static void on_unwatched(void *userdata) {
        Fake *fake = userdata;

        fake->free(fake->userdata);
        fd_close(fake->fd);
        pthread_mutex_lock(&lock);
        fake->stream = NULL;
        pthread_mutex_unlock(&lock);
}

int __wrap_virStreamEventAddCallback(virStreamPtr stream, int events, virStreamEventCallback callback,
        void *userdata, virFreeCallback done);
int __wrap_virStreamEventAddCallback(virStreamPtr stream, int events _unused_,
        virStreamEventCallback callback, void *userdata, virFreeCallback done) {
        Fake *fake = find(stream);

        fake->callback = callback;
        fake->userdata = userdata;
        fake->free = done;
        fake->watch = virEventAddHandle(fake->fd, VIR_EVENT_HANDLE_READABLE, on_fd, fake, on_unwatched);
        return fake->watch < 0 ? -1 : 0;
}

int __wrap_virStreamEventUpdateCallback(virStreamPtr stream, int events);
int __wrap_virStreamEventUpdateCallback(virStreamPtr stream, int events) {
        virEventUpdateHandle(find(stream)->watch, events ? VIR_EVENT_HANDLE_READABLE : 0);
        return 0;
}

int __wrap_virStreamEventRemoveCallback(virStreamPtr stream);
int __wrap_virStreamEventRemoveCallback(virStreamPtr stream) {
        Fake *fake = find(stream);

        (void)shutdown(fake->fd, SHUT_RDWR);
        return virEventRemoveHandle(fake->watch);
}

int __wrap_virStreamAbort(virStreamPtr stream);
int __wrap_virStreamAbort(virStreamPtr stream _unused_) {
        return 0;
}
