/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a request means for the guest: which files, which programs, and how their outcome is told. Pure: it
 * is the agent that runs the steps, in a sandbox. */

#include "common/reply.h"
#include "common/request.h"
#include "plan/notes.h"

/* One program to run. The working directory is the job's own. */
typedef struct Step {
        char **argv;     /* NULL-terminated; argv[0] is looked up in PATH */
        char **direct;   /* started in argv's place if it is found: what a shell in argv would only look up
                          * and become, or what makes the same faster; or NULL */
        char **env;      /* NULL-terminated NAME=value added to the job's environment, or NULL */
        bool stdin_file; /* standard input is Plan.input (a file without a name in the directory), else empty
                          */
        bool terminal;   /* standard output is one */
        bool notes;      /* it notes whose its output is, see notes.h */
} Step;

typedef struct Plan {
        Text source;   /* content of request->sourcefile */
        Text input;    /* standard input of the step that asks for it */
        bool compiles; /* steps[0] compiles, steps[1], if any, runs what it made; else steps[0] alone */
        bool run_after_success; /* steps[1] is run only if steps[0] ended with status 0 */
        Step steps[2];
        size_t n_steps;

        /* For the report. */
        bool status_of_compiler; /* a compiler that failed is told as any program: with its exit status */
        bool debugged;           /* the last step tells of signals itself */
        bool sanitized;          /* a sanitizer without a debugger tells of faults on standard error */
        bool trimmed;            /* white space at the end of the last step's output is left out */
        size_t shown_bytes;      /* the line that reaches so many is the last one shown; 0: all are */
} Plan;

Plan *plan_free(Plan *plan);
DEFINE_CLEANUP(Plan *, plan_free);

/* 0, -EBADMSG with a text for the client in *error (a source file name that leaves the directory, say), or
 * -ENOMEM. */
int plan_make(const Request *request, Plan **ret, Text *error);

/* How a step ended. out and err may be cut at the output limit. */
typedef struct StepOutcome {
        bool started;    /* false: it was not reached */
        bool ended;      /* false: it was killed by the agent at a limit, status is not set */
        int status;      /* as of waitpid(2) */
        int start_errno; /* > 0: it could not be started */
        Text out, err;
        Parts notes[_NOTES_MAX]; /* what the step noted of out and err */
} StepOutcome;

void step_outcome_done(StepOutcome *outcome);

typedef struct JobOutcome {
        StepOutcome steps[2];
        bool timed_out; /* wall time */
        bool cpu_exceeded;
        bool oom;
        bool disk_full; /* the job's disk limit was reached */
        bool processes_exceeded;
        uint64_t truncated; /* bytes of output left out */
        uint64_t output_limit;
        uint64_t cpu_usec, wall_usec, max_rss_bytes;
} JobOutcome;

/* Whether steps[1] is to be run after steps[0] ended so. */
bool plan_goes_on(const Plan *plan, const StepOutcome *first);

/* The result's text and the members of "pbotvm" but for the id and the storage. 0 or -ENOMEM. */
int report_make(const Request *request, const Plan *plan, const JobOutcome *outcome, Reply *ret);
