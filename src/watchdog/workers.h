/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A few threads that make the calls that block. */

#include "watchdog/libvirt-thread.h"

/* One of them is kept free of slow tasks, so that a look never waits for a revert. */
#define WORKERS 3
/* A slow task that takes longer has lost its way; systemd restarts the service then. */
#define WORKERS_STUCK_USEC (300 * USEC_PER_SEC)

/* Something to be done by a worker; part of a larger structure. */
typedef struct Task Task;
struct Task {
        Completion completion;
        void (*run)(Task *task);             /* on a worker; may block */
        void (*done)(Task *task, bool live); /* afterwards, on the loop; frees it. See Completion for live */
        bool slow;                           /* takes more than an instant */
        bool patient; /* may wait for a daemon for as long as it likes: it is not stuck */
        uint64_t begun_usec;
        Task *next;
};

typedef struct Workers Workers;
int workers_new(LibvirtThread *thread, Workers **ret);
/* Runs last, then ends the threads. Tasks in the queue are done without having run. A thread that hangs in a
 * call is left behind after 2 s. */
Workers *workers_free(Workers *workers);
DEFINE_CLEANUP(Workers *, workers_free);

void workers_submit(Workers *workers, Task *task);
/* True if a task runs for longer than WORKERS_STUCK_USEC. */
bool workers_are_stuck(Workers *workers);
