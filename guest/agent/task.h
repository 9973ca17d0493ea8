/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One request on its way through the agent: parsed, planned, queued, run, answered. */

#include "job.h"

typedef struct Task {
        Request request;
        Plan *plan;
        JobLimits limits;
        char *key;                            /* directory name of the request's storage; NULL: none */
        uint64_t arrived_usec, deadline_usec; /* of the waiting; USEC_INFINITY: none */
        Job *job;
        JobResult result; /* while the storage is saved */
        void *owner;      /* the runner */
        void *client;     /* whoever waits for the answer; NULL: has gone */
        bool lanes;       /* he may open lanes */
        struct Task *next;
} Task;

/* Parses a request's JSON. 0, -EBADMSG with a text for the client in *error and the request's id, NULL
 * if it has none, in *ret_id, or -ENOMEM. The limits are those of base, lowered by the request. */
int task_new(const char *json, size_t size, const JobLimits *base, Task **ret, char **ret_id, Text *error);
Task *task_free(Task *task);
DEFINE_CLEANUP(Task *, task_free);

/* When the job has to end: counted from the request's arrival if the host set a limit (its own clock runs
 * since then), else from now. */
uint64_t task_deadline(const Task *task, uint64_t now_usec);

/* The JSON of the answer after the job. result may be changed. 0 or -ENOMEM. */
int task_reply(const Task *task, JobResult *result, Text *json);

/* The JSON of an answer without a job: a text, to which a newline is added, and the members of one that did
 * nothing. id may be NULL. 0 or -ENOMEM. */
int reply_text(const char *text, const char *id, Text *json);
