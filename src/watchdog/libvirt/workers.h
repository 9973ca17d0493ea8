/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A few threads that make the calls that block. */

#include "watchdog/libvirt/thread.h"

/* One of them is kept free of slow tasks, so that a look never waits for a revert. */
#define WORKERS 3
/* A task that takes longer than its limit has lost its way; systemd restarts the service then. The usual
 * one: */
#define WORKERS_LIMIT_USEC (300 * USEC_PER_SEC)

/* Something to be done by a worker; part of a larger structure. */
typedef struct WorkerTask WorkerTask;
struct WorkerTask {
        Completion completion;
        void (*run)(WorkerTask *task); /* on a worker; may block */
        void (*done)(WorkerTask *task,
                bool live);  /* afterwards, on the loop; frees it. See Completion for live */
        bool slow;           /* takes more than an instant */
        uint64_t limit_usec; /* of a run; USEC_INFINITY: it may wait for as long as it likes */
        uint64_t begun_usec;
        WorkerTask *next;
};

typedef struct Workers Workers;
int workers_new(LibvirtThread *thread, Workers **ret);
/* Ends the threads. Tasks in the queue are done without having run. A thread that hangs in a call is left
 * behind after 2 s: then it returns false, and whatever the task uses must stay. */
bool workers_end(Workers *workers);
/* The same, if that was not done; what a thread that was left behind uses is not freed. */
Workers *workers_free(Workers *workers);
DEFINE_CLEANUP(Workers *, workers_free);

void workers_submit(Workers *workers, WorkerTask *task);
/* No more tasks will come: the threads end when all that were submitted are done, and the last one runs
 * this. */
void workers_finish(Workers *workers, WorkerTask *last);
/* True if a task runs for longer than its limit. */
bool workers_are_stuck(Workers *workers);
