/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runner.h"

#include <stdio.h>

#include "common/io.h"
#include "common/log.h"

struct Runner {
        JobContext *context;
        unsigned slots;
        Disk *disk;
        RunnerDone done;
        void *userdata;
        Task *queue, **queue_end; /* waiting, oldest first */
        Task *running;
        unsigned n_running;
        uint64_t busy_since, idle_since; /* CLOCK_MONOTONIC; 0: never yet */
};

static void dispatch(Runner *runner);

int runner_new(
        JobContext *context, unsigned slots, Disk *disk, RunnerDone done, void *userdata, Runner **ret) {
        Runner *runner = calloc(1, sizeof(Runner));
        if (!runner)
                return -ENOMEM;

        *runner = (Runner){
                .context = context, .slots = slots, .disk = disk, .done = done, .userdata = userdata
        };
        runner->queue_end = &runner->queue;
        *ret = runner;
        return 0;
}

static void tasks_free(Task *task) {
        while (task) {
                Task *next = task->next;
                task_free(task);
                task = next;
        }
}

Runner *runner_free(Runner *runner) {
        if (!runner)
                return NULL;
        tasks_free(runner->queue);
        tasks_free(runner->running);
        free(runner);
        return NULL;
}

unsigned runner_running(const Runner *runner) {
        return runner->n_running;
}

#define PAUSE_USEC USEC_PER_SEC

static bool paused(const Runner *runner) {
        return runner->n_running == 0 && now_monotonic() - runner->idle_since > PAUSE_USEC;
}

uint64_t runner_busy_usec(const Runner *runner) {
        return paused(runner) ? 0 : now_monotonic() - runner->busy_since;
}

/* Storage that is kept here, for a host that keeps none. */
static bool on_disk(const Runner *runner, const Task *task) {
        return runner->disk && task->key && !task->request.present;
}

static void running_remove(Runner *runner, Task *task) {
        for (Task **t = &runner->running; *t; t = &(*t)->next)
                if (*t == task) {
                        *t = task->next;
                        if (--runner->n_running == 0)
                                runner->idle_since = now_monotonic();
                        return;
                }
}

/* The end of a task that had a slot. */
static void finish(Runner *runner, Task *task, JobResult *result) {
        running_remove(runner, task);
        runner->done(task, result, runner->userdata);
        job_result_done(result);
        task_free(task);
        dispatch(runner);
}

/* Ended by the clock before it began, or not to be started: the same texts as for one that ran. */
static void finish_without_job(Runner *runner, Task *task, bool timed_out, int error) {
        JobResult result = {
                .outcome = { .timed_out = timed_out, .output_limit = task->limits.output_bytes },
                .broken_errno = -error,
        };

        if (error < 0)
                (void)snprintf(result.broken_where, sizeof(result.broken_where), "start");
        finish(runner, task, &result);
}

static void on_saved(_unused_ Job *job, JobResult *saved, void *userdata) {
        Task *task = userdata;
        Runner *runner = task->owner;
        int r = disk_save_finish(runner->disk, task->key, saved);

        if (r < 0) {
                log_warning_errno(r, "Failed to keep the storage of %s: %m", task->key);
                task->result.storage_errno = -r;
        }
        job_result_done(saved);
        finish(runner, task, &task->result);
}

/* Only what a job left after a clean end is kept. */
static void on_job(_unused_ Job *job, JobResult *result, void *userdata) {
        Task *task = userdata;
        Runner *runner = task->owner;

        if (!on_disk(runner, task) || !result->have_storage) {
                finish(runner, task, result);
                return;
        }
        task->job = job_free(task->job);
        task->result = *result;
        *result = (JobResult){};
        int r = disk_save(runner->disk, task->key, &task->result.storage, on_saved, task, &task->job);
        if (r < 0) {
                log_warning_errno(r, "Failed to keep the storage of %s: %m", task->key);
                task->result.storage_errno = -r;
                finish(runner, task, &task->result);
        }
}

static int job_begin(Runner *runner, Task *task) {
        bool keep = task->key && (task->request.present || on_disk(runner, task));
        JobSpec spec = {
                .plan = task->plan,
                .source_name = task->request.sourcefile,
                .limits = task->limits,
                .deadline_usec = task_deadline(task, now_monotonic()),
                .key = keep ? task->key : NULL,
                .storage = keep && task->request.have_storage ? &task->request.storage : NULL,
                .bind_fd = -EBADF,
                .pack = keep,
        };

        return job_start(runner->context, &spec, on_job, task, &task->job);
}

static void on_loaded(_unused_ Job *job, JobResult *loaded, void *userdata) {
        Task *task = userdata;
        Runner *runner = task->owner;

        task->job = job_free(task->job);
        if (loaded->have_storage) {
                text_move(&task->request.storage, &loaded->storage);
                task->request.have_storage = true;
        } else
                log_warning("Failed to read the storage of %s: %s", task->key,
                        text_string(&loaded->storage_error));
        /* Without what was kept the job would write over it. */
        int r = !loaded->have_storage ? -EIO : task->client ? job_begin(runner, task) : -ECANCELED;
        job_result_done(loaded);
        if (r < 0)
                finish_without_job(runner, task, false, r);
}

static int begin(Runner *runner, Task *task) {
        if (!on_disk(runner, task))
                return job_begin(runner, task);

        int r = disk_load(runner->disk, task->key, on_loaded, task, &task->job);
        return r == -ENOENT ? job_begin(runner, task) : r;
}

static void start(Runner *runner, Task *task) {
        if (paused(runner))
                runner->busy_since = now_monotonic();
        task->owner = runner;
        task->next = runner->running;
        runner->running = task;
        runner->n_running++;

        if (task_deadline(task, now_monotonic()) <= now_monotonic()) {
                finish_without_job(runner, task, true, 0);
                return;
        }
        int r = begin(runner, task);
        if (r < 0) {
                log_warning_errno(r, "A job could not be started: %m");
                finish_without_job(runner, task, false, r);
        }
}

/* The second of two requests sees what the first one kept. */
static bool key_in_use(const Runner *runner, const Task *task) {
        for (const Task *other = runner->running; task->key && other; other = other->next)
                if (streq_ptr(other->key, task->key))
                        return true;
        return false;
}

/* Takes it out of the queue; false if it is not there. */
static bool queue_remove(Runner *runner, const Task *task) {
        for (Task **t = &runner->queue; *t; t = &(*t)->next)
                if (*t == task) {
                        *t = task->next;
                        if (!*t)
                                runner->queue_end = t;
                        return true;
                }
        return false;
}

static Task *queue_next(Runner *runner) {
        for (Task *task = runner->queue; task; task = task->next)
                if (!key_in_use(runner, task)) {
                        (void)queue_remove(runner, task);
                        task->next = NULL;
                        return task;
                }
        return NULL;
}

static void dispatch(Runner *runner) {
        while (runner->n_running < runner->slots) {
                Task *task = queue_next(runner);
                if (!task)
                        return;
                start(runner, task);
        }
}

void runner_add(Runner *runner, Task *task) {
        *runner->queue_end = task;
        runner->queue_end = &task->next;
        dispatch(runner);
}

void runner_abandon(Runner *runner, Task *task) {
        task->client = NULL;
        if (queue_remove(runner, task))
                task_free(task);
        else if (task->job && !task->result.clean) /* what it left is still saved */
                job_cancel(task->job);
}
