/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The threads that make the calls that block: when one counts as stuck, and how they end. */

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "common/io.h"
#include "test.h"
#include "watchdog/libvirt/workers.h"

static atomic_uint posts;

/* What a thread tells the loop is counted. */
void __real_libvirt_thread_post(LibvirtThread *thread, Completion *completion);
void __wrap_libvirt_thread_post(LibvirtThread *thread, Completion *completion);
void __wrap_libvirt_thread_post(LibvirtThread *thread, Completion *completion) {
        atomic_fetch_add(&posts, 1);
        __real_libvirt_thread_post(thread, completion);
}

/* The clock of the day is put forward by an hour after it was read. */
uint64_t __real_now_realtime(void);
uint64_t __wrap_now_realtime(void);
uint64_t __wrap_now_realtime(void) {
        return __real_now_realtime() - 3600 * SEC;
}

typedef struct Job {
        WorkerTask task;
        sem_t go;      /* until then it hangs */
        sem_t *begun;  /* NULL: nobody asks */
        unsigned *log; /* gets what follows, if it is not NULL */
        unsigned number;
        bool done, live;
} Job;

static atomic_uint ran;

static void run_job(WorkerTask *task) {
        Job *job = (Job *)task; /* its first member */

        if (job->begun)
                sem_post(job->begun);
        sem_wait(&job->go);
        if (job->log)
                job->log[atomic_fetch_add(&ran, 1)] = job->number;
}

static void job_done(WorkerTask *task, bool live) {
        Job *job = (Job *)task;

        job->done = true;
        job->live = live;
}

static void job_init(Job *job, uint64_t limit_usec) {
        *job = (Job){ .task = { .run = run_job, .done = job_done, .slow = true, .limit_usec = limit_usec } };
        assert_int_equal(sem_init(&job->go, 0, 0), 0);
}

static void wait_done(sd_event *event, const Job *job) {
        uint64_t deadline = now_monotonic() + 10 * SEC;

        while (!job->done && now_monotonic() < deadline)
                assert_true(sd_event_run(event, 100 * USEC_PER_MSEC) >= 0);
        assert_true(job->done);
}

typedef struct House {
        sd_event *event;
        LibvirtThread *thread;
        Workers *workers;
} House;

static int set_up(void **state) {
        House *h = calloc(1, sizeof(*h));

        assert_non_null(h);
        assert_true(sd_event_new(&h->event) >= 0);
        assert_int_equal(libvirt_thread_new(h->event, &h->thread), 0);
        assert_int_equal(workers_new(h->thread, &h->workers), 0);
        *state = h;
        return 0;
}

static int tear_down(void **state) {
        House *h = *state;

        workers_free(h->workers);
        libvirt_thread_free(h->thread);
        sd_event_unref(h->event);
        free(h);
        return 0;
}

static void test_each_task_has_its_limit(void **state) {
        House *h = *state;
        Job patient, hasty;
        sem_t begun;

        assert_int_equal(sem_init(&begun, 0, 0), 0);
        job_init(&patient, USEC_INFINITY);
        job_init(&hasty, 50 * USEC_PER_MSEC);
        patient.begun = hasty.begun = &begun;
        workers_submit(h->workers, &patient.task);
        sem_wait(&begun);
        usleep(100000);
        assert_false(workers_are_stuck(h->workers));
        workers_submit(h->workers, &hasty.task);
        sem_wait(&begun);
        usleep(100000);
        assert_true(workers_are_stuck(h->workers));
        sem_post(&patient.go);
        sem_post(&hasty.go);
        wait_done(h->event, &patient);
        wait_done(h->event, &hasty);
        assert_true(hasty.live);
        assert_false(workers_are_stuck(h->workers));
}

/* The last one runs when nothing else does, and then no thread is left. */
static void test_finish(void **state) {
        House *h = *state;
        unsigned log[5];
        Job jobs[5];

        for (unsigned i = 0; i < ELEMENTSOF(jobs); i++) {
                job_init(&jobs[i], WORKERS_LIMIT_USEC);
                jobs[i].log = log;
                jobs[i].number = i;
        }
        sem_post(&jobs[4].go);
        for (unsigned i = 0; i < 4; i++)
                workers_submit(h->workers, &jobs[i].task);
        workers_finish(h->workers, &jobs[4].task);
        for (unsigned i = 0; i < 4; i++) {
                assert_false(jobs[4].done);
                sem_post(&jobs[i].go);
                wait_done(h->event, &jobs[i]);
        }
        wait_done(h->event, &jobs[4]);
        assert_int_equal(log[4], 4);
        uint64_t begun = now_monotonic();
        assert_true(workers_end(h->workers));
        assert_true(now_monotonic() - begun < SEC);
}

static void *let_go(void *userdata) {
        Job *job = userdata;

        usleep(300000);
        sem_post(&job->go);
        return NULL;
}

/* One that is done within the time is waited for, whatever the clock of the day does. */
static void test_is_waited_for(void **state) {
        House *h = *state;
        pthread_t helper;
        sem_t begun;
        Job job;

        assert_int_equal(sem_init(&begun, 0, 0), 0);
        job_init(&job, USEC_INFINITY);
        job.begun = &begun;
        workers_submit(h->workers, &job.task);
        sem_wait(&begun);
        assert_int_equal(pthread_create(&helper, NULL, let_go, &job), 0);
        assert_true(workers_end(h->workers));
        assert_int_equal(pthread_join(helper, NULL), 0);
        /* It told, too. */
        wait_done(h->event, &job);
}

/* A thread that hangs in a call is left behind; when it comes back, what it would tell is gone. */
static void test_left_behind(void **state) {
        House *h = *state;
        static Job hangs, waits; /* as real ones are still there then */
        static Workers *left;    /* what its thread uses is not freed */
        sem_t begun;

        left = h->workers;

        assert_int_equal(sem_init(&begun, 0, 0), 0);
        job_init(&hangs, USEC_INFINITY);
        hangs.begun = &begun;
        workers_submit(h->workers, &hangs.task);
        sem_wait(&begun);
        job_init(&waits, USEC_INFINITY);
        sem_post(&waits.go);
        workers_finish(h->workers, &waits.task);
        assert_false(workers_end(h->workers));
        assert_false(hangs.done);
        unsigned before = atomic_load(&posts);
        sem_post(&hangs.go);
        usleep(200000);
        assert_int_equal(atomic_load(&posts), before);
        assert_ptr_equal(left, h->workers);
        /* One that had not begun is done without having run. */
        assert_true(waits.done);
        assert_false(waits.live);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_each_task_has_its_limit, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_finish, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_is_waited_for, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_left_behind, set_up, tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
