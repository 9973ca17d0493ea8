/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/doctor/bounded.h"

#include <pthread.h>
#include <time.h>

#include "common/io.h"

typedef struct Bounded {
        pthread_mutex_t lock;
        pthread_cond_t ended_changed;
        bool ended, given_up;
        void (*run)(void *job);
        void (*release)(void *job);
        void *job;
} Bounded;

static Bounded *bounded_free(Bounded *bounded) {
        if (!bounded)
                return NULL;
        (void)pthread_cond_destroy(&bounded->ended_changed);
        (void)pthread_mutex_destroy(&bounded->lock);
        free(bounded);
        return NULL;
}
DEFINE_CLEANUP(Bounded *, bounded_free);

static Bounded *bounded_new(void) {
        Bounded *bounded = calloc(1, sizeof(*bounded));
        pthread_condattr_t attributes;

        if (!bounded)
                return NULL;
        (void)pthread_mutex_init(&bounded->lock, NULL);
        (void)pthread_condattr_init(&attributes);
        (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        (void)pthread_cond_init(&bounded->ended_changed, &attributes);
        (void)pthread_condattr_destroy(&attributes);
        return bounded;
}

/* The last of the two that need it frees it. */
static void *thread_main(void *argument) {
        Bounded *bounded = argument;

        bounded->run(bounded->job);
        (void)pthread_mutex_lock(&bounded->lock);
        bool given_up = bounded->given_up;
        bounded->ended = true;
        (void)pthread_cond_signal(&bounded->ended_changed);
        (void)pthread_mutex_unlock(&bounded->lock);
        if (given_up) {
                bounded->release(bounded->job);
                bounded_free(bounded);
        }
        return NULL;
}

/* With the lock: waits until it ended or the time has come. */
static void wait_until(Bounded *bounded, uint64_t usec) {
        struct timespec at = { .tv_sec = (time_t)(usec / USEC_PER_SEC),
                .tv_nsec = (long)(usec % USEC_PER_SEC * NSEC_PER_USEC) };

        while (!bounded->ended && pthread_cond_timedwait(&bounded->ended_changed, &bounded->lock, &at) == 0)
                ;
}

static int start(Bounded *bounded) {
        pthread_attr_t attributes;
        pthread_t thread;

        (void)pthread_attr_init(&attributes);
        (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        int r = pthread_create(&thread, &attributes, thread_main, bounded);
        (void)pthread_attr_destroy(&attributes);
        return -r;
}

int bounded_run(void (*run)(void *job), void (*release)(void *job), void *job, uint64_t usec,
        void (*waiting)(void *userdata, uint64_t usec), void *userdata) {
        _cleanup_(bounded_freep) Bounded *bounded = bounded_new();
        uint64_t begin = now_monotonic();

        if (!bounded)
                return -ENOMEM;
        bounded->run = run;
        bounded->release = release;
        bounded->job = job;
        int r = start(bounded);
        if (r < 0)
                return r;

        (void)pthread_mutex_lock(&bounded->lock);
        wait_until(bounded, begin + MIN(usec, USEC_PER_SEC));
        if (!bounded->ended && waiting)
                waiting(userdata, usec);
        wait_until(bounded, begin + usec);
        bounded->given_up = !bounded->ended;
        bool given_up = bounded->given_up;
        (void)pthread_mutex_unlock(&bounded->lock);
        if (given_up) /* the thread frees it */
                (void)TAKE_PTR(bounded);
        return given_up ? -ETIMEDOUT : 0;
}
