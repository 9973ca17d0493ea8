/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job runs, one after the other: the steps of its plan, and before and after them those of the
 * agent's own that fill and pack its storage (pbotvm-archive). */

#include "job.h"
#include "output-pipe.h"

typedef enum StepRole {
        ROLE_CLEAR,
        ROLE_UNPACK,
        ROLE_PLAN,
        ROLE_PACK,
} StepRole;

typedef struct JobStep {
        StepRole role;
        size_t plan_index;
        OutputPipe out, err;
        int notes_fd;             /* see plan/notes.h; -EBADF: it notes nothing */
        uint64_t cpu_limit_usec;  /* of each of its processes */
        uint64_t cpu_before_usec; /* what the job had used before it */
        bool running, ended, failed;
        int status, start_errno;
} JobStep;

typedef struct JobSteps {
        JobStep list[SANDBOX_STEPS_MAX];
        size_t n;
        OutputBudget budget, storage_budget, storage_error_budget;
        int storage_fd;                       /* what the unpacking step reads */
        char *archive_argv[ROLE_PACK + 1][6]; /* by role */
        char storage_max[24];
} JobSteps;

#define JOB_STEPS_INIT ((JobSteps){ .storage_fd = -EBADF })

/* Makes the steps of a job, whose pipes tell news and fill the texts of *result. Everything pointed to stays
 * the caller's. 0 or a negative errno; job_steps_done() in either case. */
int job_steps_make(JobSteps *steps, const JobContext *context, const JobSpec *spec, JobResult *result,
        OutputPipeNews news, void *userdata);
void job_steps_done(JobSteps *steps);

/* Step number i as the sandbox shall run it; valid as long as the steps and the spec. */
SandboxStep job_steps_sandbox(const JobSteps *steps, const JobSpec *spec, size_t i);
/* Once the sandbox has them: closes what only it reads and writes. */
void job_steps_close_child_ends(JobSteps *steps);

/* A step is over when its process has ended and nobody holds its output any more, as PBot's agent waits. */
bool job_step_over(const JobStep *step);

/* Reads what is left in the pipes and closes them; reads the notes. */
void job_steps_drain(JobSteps *steps, JobOutcome *outcome);
