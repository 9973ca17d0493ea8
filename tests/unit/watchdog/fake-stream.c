/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Streams of libvirt's test driver, which has none: a channel is the unix socket "data" or "heart" in the
 * folder that PBOTVM_TEST_CHANNELS names. As with a real one, sending blocks while the guest does not read,
 * and receiving does not. */

#include <assert.h>
#include <libvirt/libvirt.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/macro.h"

#define FAKES_MAX 16

typedef struct Fake {
        bool taken;
        virStreamPtr
                stream; /* NULL once nobody asks for it any more: libvirt may give its address away again */
        virStreamPtr told; /* the same, for the callback */
        int fd;
        int watch;
        virStreamEventCallback callback;
        void *userdata;
        virFreeCallback free;
} Fake;

static Fake fakes[FAKES_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static Fake *take(virStreamPtr stream, int fd) {
        Fake *found = NULL;

        pthread_mutex_lock(&lock);
        for (size_t i = 0; !found && i < FAKES_MAX; i++)
                if (!fakes[i].taken)
                        found = &fakes[i];
        if (found)
                *found = (Fake){ .taken = true, .stream = stream, .told = stream, .fd = fd, .watch = -1 };
        pthread_mutex_unlock(&lock);
        return found;
}

static Fake *find(virStreamPtr stream) {
        Fake *found = NULL;

        pthread_mutex_lock(&lock);
        for (size_t i = 0; !found && i < FAKES_MAX; i++)
                if (fakes[i].taken && fakes[i].stream == stream)
                        found = &fakes[i];
        pthread_mutex_unlock(&lock);
        return found;
}

int __wrap_virDomainOpenChannel(virDomainPtr domain, const char *name, virStreamPtr stream, unsigned flags);
int __wrap_virDomainOpenChannel(
        virDomainPtr domain, const char *name, virStreamPtr stream, unsigned flags _unused_) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };

        snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", getenv("PBOTVM_TEST_CHANNELS"),
                strstr(name, "heart") ? "heart" : "data");
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || !take(stream, fd)) {
                fd_close(fd);
                /* An error of libvirt's. */
                assert(!virDomainLookupByName(virDomainGetConnect(domain), "not there"));
                return -1;
        }
        return 0;
}

int __wrap_virStreamSend(virStreamPtr stream, const char *data, size_t size);
int __wrap_virStreamSend(virStreamPtr stream, const char *data, size_t size) {
        return (int)send(find(stream)->fd, data, size, MSG_NOSIGNAL);
}

int __wrap_virStreamRecv(virStreamPtr stream, char *data, size_t size);
int __wrap_virStreamRecv(virStreamPtr stream, char *data, size_t size) {
        const Fake *fake = find(stream);
        ssize_t n = fake ? recv(fake->fd, data, size, MSG_DONTWAIT) : -1;

        return fake && n < 0 && errno == EAGAIN ? -2 : (int)n;
}

static void on_fd(int watch _unused_, int fd _unused_, int events _unused_, void *userdata) {
        Fake *fake = userdata;

        fake->callback(fake->told, VIR_STREAM_EVENT_READABLE, fake->userdata);
}

/* After the watch has gone nothing of it is called any more. */
static void on_unwatched(void *userdata) {
        Fake *fake = userdata;

        fake->free(fake->userdata);
        fd_close(fake->fd);
        pthread_mutex_lock(&lock);
        fake->taken = false;
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
        const Fake *fake = find(stream);

        if (!fake)
                return -1;
        virEventUpdateHandle(fake->watch, events ? VIR_EVENT_HANDLE_READABLE : 0);
        return 0;
}

int __wrap_virStreamEventRemoveCallback(virStreamPtr stream);
int __wrap_virStreamEventRemoveCallback(virStreamPtr stream) {
        Fake *fake = find(stream);

        pthread_mutex_lock(&lock);
        fake->stream = NULL;
        pthread_mutex_unlock(&lock);
        (void)shutdown(fake->fd, SHUT_RDWR);
        return virEventRemoveHandle(fake->watch);
}

int __wrap_virStreamAbort(virStreamPtr stream);
int __wrap_virStreamAbort(virStreamPtr stream _unused_) {
        return 0;
}
