/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One job from its start to the moment when nothing of it is left: runs a plan's steps one after the other
 * in a sandbox, collects what they print, watches the limits. Never blocks; sd-event calls it. */

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
