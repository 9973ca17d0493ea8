/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/workers.h"

#include <pthread.h>
#include <time.h>

#include "common/io.h"

#define END_USEC (2 * USEC_PER_SEC)

typedef struct Worker {
        Workers *workers;
        pthread_t thread;
        bool running;
        Task *task; /* what it does now */
} Worker;

struct Workers {
        LibvirtThread *thread;
        pthread_mutex_t lock; /* over all below */
        pthread_cond_t changed;
        Task *first, *last;
        size_t n_slow; /* running */
        bool stop;
        Worker pool[WORKERS];
};

static void on_complete(Completion *completion, bool live) {
        Task *task = (Task *)completion; /* its first member */
        task->done(task, live);
}

/* The first task that may run now; slow ones leave one worker free. */
static Task *take_task(Workers *workers) {
        Task *previous = NULL;

        for (Task *t = workers->first; t; previous = t, t = t->next) {
                if (t->slow && workers->n_slow >= WORKERS - 1)
                        continue;
                if (previous)
                        previous->next = t->next;
                else
                        workers->first = t->next;
                if (workers->last == t)
                        workers->last = previous;
                return t;
        }
        return NULL;
}

static void *run(void *userdata) {
        Worker *worker = userdata;
        Workers *workers = worker->workers;

        pthread_mutex_lock(&workers->lock);
        while (!workers->stop) {
                Task *task = take_task(workers);
                if (!task) {
                        pthread_cond_wait(&workers->changed, &workers->lock);
                        continue;
                }

                bool slow = task->slow;
                workers->n_slow += slow;
                task->begun_usec = now_monotonic();
                worker->task = task;
                pthread_mutex_unlock(&workers->lock);
                task->run(task);
                pthread_mutex_lock(&workers->lock);
                worker->task = NULL;
                workers->n_slow -= slow;
                libvirt_thread_post(workers->thread, &task->completion);
                /* Another slow one may have waited for this one's end. */
                pthread_cond_broadcast(&workers->changed);
        }
        pthread_mutex_unlock(&workers->lock);
        return NULL;
}

void workers_submit(Workers *workers, Task *task) {
        task->completion.call = on_complete;
        task->next = NULL;
        pthread_mutex_lock(&workers->lock);
        if (workers->last)
                workers->last->next = task;
        else
                workers->first = task;
        workers->last = task;
        pthread_cond_broadcast(&workers->changed);
        pthread_mutex_unlock(&workers->lock);
}

bool workers_are_stuck(Workers *workers) {
        uint64_t now = now_monotonic();
        bool stuck = false;

        pthread_mutex_lock(&workers->lock);
        for (size_t i = 0; i < WORKERS; i++) {
                const Task *t = workers->pool[i].task;
                stuck = stuck || (t && now >= usec_add(t->begun_usec, t->limit_usec));
        }
        pthread_mutex_unlock(&workers->lock);
        return stuck;
}

int workers_new(LibvirtThread *thread, Workers **ret) {
        _cleanup_(workers_freep) Workers *workers = calloc(1, sizeof(*workers));
        if (!workers)
                return -ENOMEM;
        workers->thread = thread;
        pthread_mutex_init(&workers->lock, NULL);
        pthread_cond_init(&workers->changed, NULL);

        for (size_t i = 0; i < WORKERS; i++) {
                Worker *w = &workers->pool[i];
                w->workers = workers;
                int r = -pthread_create(&w->thread, NULL, run, w);
                if (r < 0)
                        return r;
                w->running = true;
        }
        *ret = TAKE_PTR(workers);
        return 0;
}

/* pthread_timedjoin_np() wants the time of day. */
static struct timespec end_time(void) {
        uint64_t at = now_realtime() + END_USEC;
        return (struct timespec){ (time_t)(at / USEC_PER_SEC), (long)(at % USEC_PER_SEC * NSEC_PER_USEC) };
}

Workers *workers_free(Workers *workers) {
        if (!workers)
                return NULL;

        pthread_mutex_lock(&workers->lock);
        workers->stop = true;
        pthread_cond_broadcast(&workers->changed);
        pthread_mutex_unlock(&workers->lock);

        bool hangs = false;
        struct timespec end = end_time();
        for (size_t i = 0; i < WORKERS; i++)
                if (workers->pool[i].running &&
                        pthread_timedjoin_np(workers->pool[i].thread, NULL, &end) != 0) {
                        (void)pthread_detach(workers->pool[i].thread);
                        hangs = true;
                }
        for (Task *t = workers->first, *next; t; t = next) {
                next = t->next;
                t->done(t, false);
        }
        /* A thread that hangs still uses it. */
        if (hangs)
                return NULL;
        pthread_cond_destroy(&workers->changed);
        pthread_mutex_destroy(&workers->lock);
        free(workers);
        return NULL;
}
