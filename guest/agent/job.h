/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One job from its start to the moment when nothing of it is left: runs a plan's steps one after the other
 * in a sandbox, collects what they print, watches the limits. Never blocks; sd-event calls it.
 *
 * Why its end is that of pid 1 of its namespace. The kernel lets that process end only when every other
 * process of the namespace is gone, so its pidfd says what nothing else does: that a program which forks
 * faster than it can be killed, or closes its output and goes on, has left nothing. The end of a step's
 * process, or of its output, would each be right for most programs and wrong for the ones that matter. A
 * step, on the other hand, is over when its process ended and all holders of its output are gone, as a
 * shell's pipe has it.
 *
 * Why there is one way out. A job that came to its end by itself is killed like one that ran out of time or
 * whose client has gone: what it left in the background must not meet the next job. So everything that can
 * go wrong has to be right once. From there it takes milliseconds; a job that takes seconds has a process
 * that the kernel cannot end, which is told, since then the guest and not the job is sick.
 *
 * Why what it keeps is packed last, in the sandbox, after all others are dead. Packed by the agent, a tree
 * of links and devices would be read with the agent's rights; packed beside processes that still write, it
 * would be a state that never was. And it counts only after a clean end: a program that was killed in the
 * middle of a write leaves what was kept before.
 *
 * Why time is watched twice. The kernel ends a process that is over its CPU time, at once, but knows no
 * limit of a whole job; a cgroup counts that, but ends nothing. Neither says why a process is gone, so the
 * outcome is put together from both, after the end.
 *
 * done is called once, last, with the result moved out: whoever is told may begin the next job from
 * there. */

#include <systemd/sd-event.h>

#include "cgroup.h"
#include "plan/plan.h"
#include "namespaces.h"
#include "sandbox.h"

/* What all jobs share; owned by the agent. */
typedef struct JobContext {
        sd_event *event;
        Cgroups *cgroups;
        SeccompFilter filter;
        bool write_rules;
        NamespaceStore *namespaces;
        const char *user;
        JobUser user_numbers;
        unsigned slots; /* jobs that may run at once */
        uint64_t last_number;
        const char *archive_program; /* path of pbotvm-archive */
        uint64_t storage_max;        /* bytes of a storage archive */
} JobContext;

/* What one job is. Everything pointed to stays valid until the job is done. */
typedef struct JobSpec {
        const Plan *plan;
        const char *source_name;
        JobLimits limits;
        uint64_t deadline_usec; /* CLOCK_MONOTONIC; the job is killed then */
        const char *key;     /* a directory of this name in the home directory is its storage; NULL: none */
        const Text *storage; /* an archive that is unpacked there first; NULL: none */
        int bind_fd;         /* a detached mount that is put there; -EBADF: none */
        bool clear;          /* its content is removed first */
        bool pack;           /* the storage is packed after a clean end */
        bool own;            /* the agent's own: strangers' jobs take no memory from it */
} JobSpec;

typedef struct Job Job;

typedef struct JobResult {
        JobOutcome outcome;
        Text storage; /* the archive packed after a clean end */
        bool have_storage;
        bool clean;        /* it ended by itself, within its limits */
        int storage_errno; /* > 0: it could not be unpacked or packed; the text says why */
        Text storage_error;
        int broken_errno; /* > 0: the sandbox could not be built */
        char broken_where[32];
        bool stuck; /* its processes did not die; the guest is sick */
} JobResult;
void job_result_done(JobResult *result);

/* Called once, from the event loop, when nothing of the job is left. The result is the callee's. */
typedef void (*JobDone)(Job *job, JobResult *result, void *userdata);

/* Starts a job. 0 and the job (freed with job_free() after done was called; earlier, it is killed and not
 * waited for), or a negative errno. */
int job_start(JobContext *context, const JobSpec *spec, JobDone done, void *userdata, Job **ret);
Job *job_free(Job *job);
DEFINE_CLEANUP(Job *, job_free);

/* Ends it early: the client has gone. done is called as ever. */
void job_cancel(Job *job);
