/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/libvirt/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

struct LibvirtThread {
        pthread_t thread;
        bool running;
        atomic_bool stop;

        pthread_mutex_t lock; /* over the queue */
        Completion *first, *last;
        int eventfd;
        sd_event_source *io;
};

/* A completion on its way over libvirt's loop. */
typedef struct Bounce {
        LibvirtThread *thread;
        Completion *completion;
} Bounce;

void libvirt_thread_post(LibvirtThread *thread, Completion *completion) {
        completion->next = NULL;
        pthread_mutex_lock(&thread->lock);
        if (thread->last)
                thread->last->next = completion;
        else
                thread->first = completion;
        thread->last = completion;
        pthread_mutex_unlock(&thread->lock);

        /* It cannot fail but by being full, and then the loop is woken anyway. */
        (void)!write(thread->eventfd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static Completion *take_all(LibvirtThread *thread) {
        pthread_mutex_lock(&thread->lock);
        Completion *first = TAKE_PTR(thread->first);
        thread->last = NULL;
        pthread_mutex_unlock(&thread->lock);
        return first;
}

static void call_all(LibvirtThread *thread, bool live) {
        for (Completion *c = take_all(thread), *next; c; c = next) {
                next = c->next;
                c->call(c, live);
        }
}

static int on_eventfd(sd_event_source *source _unused_, int fd, uint32_t revents _unused_, void *userdata) {
        uint64_t count;

        (void)!read(fd, &count, sizeof(count));
        call_all(userdata, true);
        return 0;
}

static void on_bounce(int timer, void *opaque) {
        const Bounce *bounce = opaque;

        (void)virEventRemoveTimeout(timer);
        libvirt_thread_post(bounce->thread, bounce->completion);
}

int libvirt_thread_bounce(LibvirtThread *thread, Completion *completion) {
        Bounce *bounce = malloc(sizeof(*bounce));
        if (!bounce)
                return -ENOMEM;
        *bounce = (Bounce){ thread, completion };
        if (virEventAddTimeout(0, on_bounce, bounce, free) < 0) {
                free(bounce);
                return -ENOMEM;
        }
        return 0;
}

static void *run(void *userdata) {
        LibvirtThread *thread = userdata;

        while (!atomic_load(&thread->stop))
                if (virEventRunDefaultImpl() < 0)
                        break;
        return NULL;
}

/* libvirt would print every error on stderr; they are reported where they matter. */
static void be_silent(void *userdata _unused_, virErrorPtr error _unused_) {
}

int libvirt_thread_new(sd_event *event, LibvirtThread **ret) {
        if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
                return -EIO;
        virSetErrorFunc(NULL, be_silent);

        _cleanup_(libvirt_thread_freep) LibvirtThread *thread = calloc(1, sizeof(*thread));
        if (!thread)
                return -ENOMEM;
        pthread_mutex_init(&thread->lock, NULL);
        thread->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (thread->eventfd < 0)
                return -errno;

        int r = sd_event_add_io(event, &thread->io, thread->eventfd, EPOLLIN, on_eventfd, thread);
        if (r < 0)
                return r;
        r = -pthread_create(&thread->thread, NULL, run, thread);
        if (r < 0)
                return r;
        thread->running = true;

        *ret = TAKE_PTR(thread);
        return 0;
}

static void on_wake(int timer, void *opaque _unused_) {
        (void)virEventRemoveTimeout(timer);
}

void libvirt_thread_stop(LibvirtThread *thread) {
        if (!thread || !thread->running)
                return;
        atomic_store(&thread->stop, true);
        (void)virEventAddTimeout(0, on_wake, NULL, NULL);
        pthread_join(thread->thread, NULL);
        thread->running = false;
}

LibvirtThread *libvirt_thread_free(LibvirtThread *thread) {
        if (!thread)
                return NULL;
        libvirt_thread_stop(thread);
        sd_event_source_disable_unref(thread->io);
        call_all(thread, false);
        fd_close(thread->eventfd);
        pthread_mutex_destroy(&thread->lock);
        free(thread);
        return NULL;
}
