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

        pthread_mutex_t lock; /* over the queues */
        Completion *first, *last;
        Completion *bouncing, **bouncing_end; /* on their way over libvirt's loop, a timer for each */
        int eventfd;
        sd_event_source *io;
};

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

static void call_list(Completion *first, bool live) {
        for (Completion *c = first, *next; c; c = next) {
                next = c->next;
                c->call(c, live);
        }
}

static int on_eventfd(sd_event_source *source _unused_, int fd, uint32_t revents _unused_, void *userdata) {
        uint64_t count;

        (void)!read(fd, &count, sizeof(count));
        call_list(take_all(userdata), true);
        return 0;
}

static void on_bounce(int timer, void *opaque) {
        LibvirtThread *thread = opaque;

        (void)virEventRemoveTimeout(timer);
        pthread_mutex_lock(&thread->lock);
        Completion *completion = thread->bouncing;
        thread->bouncing = completion->next;
        if (!thread->bouncing)
                thread->bouncing_end = &thread->bouncing;
        pthread_mutex_unlock(&thread->lock);
        libvirt_thread_post(thread, completion);
}

int libvirt_thread_bounce(LibvirtThread *thread, Completion *completion) {
        completion->next = NULL;
        pthread_mutex_lock(&thread->lock);
        int timer = virEventAddTimeout(0, on_bounce, thread, NULL);
        if (timer >= 0) {
                *thread->bouncing_end = completion;
                thread->bouncing_end = &completion->next;
        }
        pthread_mutex_unlock(&thread->lock);
        return timer < 0 ? -ENOMEM : 0;
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
        thread->bouncing_end = &thread->bouncing;
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
        call_list(take_all(thread), false);
        call_list(thread->bouncing, false);
        fd_close(thread->eventfd);
        pthread_mutex_destroy(&thread->lock);
        free(thread);
        return NULL;
}
