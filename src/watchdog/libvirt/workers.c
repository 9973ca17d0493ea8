/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/libvirt/workers.h"

#include <pthread.h>
#include <time.h>

#include "common/io.h"

#define END_USEC (2 * USEC_PER_SEC)

typedef struct Worker {
        Workers *workers;
        pthread_t thread;
        bool running;
        bool over;        /* it needs the lock no more */
        WorkerTask *task; /* what it does now */
} Worker;

struct Workers {
        LibvirtThread *thread;
        pthread_mutex_t lock; /* over all below */
        pthread_cond_t changed;
        WorkerTask *first, *last;
        WorkerTask *final; /* to be run by the last thread when all others are done */
        size_t n_slow;     /* running */
        size_t n_threads;
        bool stop;
        bool ended;
        bool abandoned; /* a thread was left behind */
        Worker pool[WORKERS];
};

static void on_complete(Completion *completion, bool live) {
        WorkerTask *task = (WorkerTask *)completion; /* its first member */
        task->done(task, live);
}

/* The first task that may run now; slow ones leave one worker free. */
static WorkerTask *take_task(Workers *workers) {
        WorkerTask *previous = NULL;

        for (WorkerTask *t = workers->first; t; previous = t, t = t->next) {
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

/* With the lock held, which is given up while the task runs. False when nobody is there to be told. */
static bool run_task(Worker *worker, WorkerTask *task) {
        Workers *workers = worker->workers;
        bool slow = task->slow;

        workers->n_slow += slow;
        task->begun_usec = now_monotonic();
        worker->task = task;
        pthread_mutex_unlock(&workers->lock);
        task->run(task);
        pthread_mutex_lock(&workers->lock);
        worker->task = NULL;
        workers->n_slow -= slow;
        if (workers->abandoned)
                return false;
        libvirt_thread_post(workers->thread, &task->completion);
        /* Another slow one may have waited for this one's end. */
        pthread_cond_broadcast(&workers->changed);
        return true;
}

static void *run(void *userdata) {
        Worker *worker = userdata;
        Workers *workers = worker->workers;
        bool wanted = true;

        pthread_mutex_lock(&workers->lock);
        while (wanted && !workers->stop) {
                WorkerTask *task = take_task(workers);
                if (task)
                        wanted = run_task(worker, task);
                else if (workers->final && !workers->first)
                        wanted = false;
                else
                        pthread_cond_wait(&workers->changed, &workers->lock);
        }
        if (--workers->n_threads == 0 && workers->final && !workers->stop)
                (void)run_task(worker, TAKE_PTR(workers->final));
        worker->over = true;
        pthread_cond_broadcast(&workers->changed);
        pthread_mutex_unlock(&workers->lock);
        return NULL;
}

void workers_submit(Workers *workers, WorkerTask *task) {
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

void workers_finish(Workers *workers, WorkerTask *last) {
        last->completion.call = on_complete;
        pthread_mutex_lock(&workers->lock);
        workers->final = last;
        pthread_cond_broadcast(&workers->changed);
        pthread_mutex_unlock(&workers->lock);
}

bool workers_are_stuck(Workers *workers) {
        uint64_t now = now_monotonic();
        bool stuck = false;

        pthread_mutex_lock(&workers->lock);
        for (size_t i = 0; i < WORKERS; i++) {
                const WorkerTask *t = workers->pool[i].task;
                stuck = stuck || (t && now >= usec_add(t->begun_usec, t->limit_usec));
        }
        pthread_mutex_unlock(&workers->lock);
        return stuck;
}

static void init_lock(Workers *workers) {
        pthread_condattr_t attributes;

        pthread_mutex_init(&workers->lock, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&workers->changed, &attributes);
        pthread_condattr_destroy(&attributes);
}

int workers_new(LibvirtThread *thread, Workers **ret) {
        _cleanup_(workers_freep) Workers *workers = calloc(1, sizeof(*workers));
        if (!workers)
                return -ENOMEM;
        workers->thread = thread;
        init_lock(workers);

        for (size_t i = 0; i < WORKERS; i++) {
                Worker *w = &workers->pool[i];
                w->workers = workers;
                int r = -pthread_create(&w->thread, NULL, run, w);
                if (r < 0)
                        return r;
                w->running = true;
                pthread_mutex_lock(&workers->lock);
                workers->n_threads++;
                pthread_mutex_unlock(&workers->lock);
        }
        *ret = TAKE_PTR(workers);
        return 0;
}

static bool are_over(const Workers *workers) {
        for (size_t i = 0; i < WORKERS; i++)
                if (workers->pool[i].running && !workers->pool[i].over)
                        return false;
        return true;
}

/* With the lock held, which those that are over need no more. False if others are left behind. Not by
 * pthread_timedjoin_np(), whose time is that of the day, which may be set meanwhile. */
static bool join(Workers *workers) {
        uint64_t at = usec_add(now_monotonic(), END_USEC);
        struct timespec end = { (time_t)(at / USEC_PER_SEC), (long)(at % USEC_PER_SEC * NSEC_PER_USEC) };

        while (!are_over(workers) && pthread_cond_timedwait(&workers->changed, &workers->lock, &end) == 0)
                ;
        for (size_t i = 0; i < WORKERS; i++) {
                const Worker *w = &workers->pool[i];
                if (w->running)
                        (void)(w->over ? pthread_join(w->thread, NULL) : pthread_detach(w->thread));
        }
        return are_over(workers);
}

bool workers_end(Workers *workers) {
        if (workers->ended)
                return !workers->abandoned;

        pthread_mutex_lock(&workers->lock);
        workers->stop = true;
        pthread_cond_broadcast(&workers->changed);
        bool all = join(workers);
        /* One that comes back later finds nobody. */
        workers->ended = true;
        workers->abandoned = !all;
        WorkerTask *first = TAKE_PTR(workers->first), *final = TAKE_PTR(workers->final);
        workers->last = NULL;
        pthread_mutex_unlock(&workers->lock);
        for (WorkerTask *t = first, *next; t; t = next) {
                next = t->next;
                t->done(t, false);
        }
        if (final)
                final->done(final, false);
        return all;
}

Workers *workers_free(Workers *workers) {
        if (!workers || !workers_end(workers))
                return NULL;
        pthread_cond_destroy(&workers->changed);
        pthread_mutex_destroy(&workers->lock);
        free(workers);
        return NULL;
}
