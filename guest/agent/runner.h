/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs tasks: in the order in which they came, as many at once as there are slots, and of those with the
 * same storage one at a time. */

#include "disk.h"
#include "task.h"

typedef struct Runner Runner;

/* A task is over; its client may have gone. The task and the result are freed afterwards. */
typedef void (*RunnerDone)(const Task *task, JobResult *result, void *userdata);

/* disk: NULL when storage that no host sends is not kept. 0 or -ENOMEM. */
int runner_new(
        JobContext *context, unsigned slots, Disk *disk, RunnerDone done, void *userdata, Runner **ret);
Runner *runner_free(Runner *runner);
DEFINE_CLEANUP(Runner *, runner_free);

/* Takes the task. It may be over before this returns. */
void runner_add(Runner *runner, Task *task);
/* Nobody waits for it any more: what has not begun does not, what runs is ended. task->client is NULL
 * afterwards. */
void runner_abandon(Runner *runner, Task *task);
unsigned runner_running(const Runner *runner);
/* How long it has been running tasks without a pause of a second, usec; 0 after such a pause. */
uint64_t runner_busy_usec(const Runner *runner);
