/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "task.h"

#include "common/frame.h"
#include "common/io.h"
#include "common/utf8.h"
#include "job-limits.h"
#include "storage.h"

Task *task_free(Task *task) {
        if (!task)
                return NULL;
        job_free(task->job);
        job_result_done(&task->result);
        plan_free(task->plan);
        request_done(&task->request);
        free(task->key);
        free(task);
        return NULL;
}

/* What holds for the request, whoever set it, before it is planned: the plan's debugger ends before the
 * limits do. */
static int task_prepare(Task *task, const JobLimits *base, Text *error) {
        Request *request = &task->request;
        bool timed = request->limits.wall_usec != LIMIT_UNSET;

        task->limits = request->limits = limits_resolve(base, &request->limits);
        task->arrived_usec = now_monotonic();
        task->deadline_usec = timed ? usec_add(task->arrived_usec, task->limits.wall_usec) : USEC_INFINITY;

        int r = plan_make(request, &task->plan, error);
        if (r >= 0 && !isempty(request->persist_key))
                r = storage_name(request->persist_key, &task->key);
        return r;
}

int task_new(const char *json, size_t size, const JobLimits *base, Task **ret, char **ret_id, Text *error) {
        _cleanup_(task_freep) Task *task = calloc(1, sizeof(Task));
        if (!task)
                return -ENOMEM;

        task->request = REQUEST_INIT;
        int r = request_parse(json, size, &task->request, error);
        if (r >= 0)
                r = task_prepare(task, base, error);
        if (r == -EBADMSG)
                *ret_id = TAKE_PTR(task->request.id);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(task);
        return 0;
}

uint64_t task_deadline(const Task *task, uint64_t now_usec) {
        return task->deadline_usec != USEC_INFINITY ? task->deadline_usec
                                                    : usec_add(now_usec, task->limits.wall_usec);
}

/* Every answer of ours has the member pbotvm, whether or not the request had an id. */
static int extension_begin(const char *id, Reply *reply) {
        reply->present = true;
        if (!id)
                return 0;
        free(reply->id);
        reply->id = strdup(id);
        return reply->id ? 0 : -ENOMEM;
}

int reply_text(const char *text, const char *id, Text *json) {
        _cleanup_reply_ Reply reply = {};

        text_append_string(&reply.result, text);
        text_append_char(&reply.result, '\n');
        int r = text_error(&reply.result);
        if (r >= 0)
                r = extension_begin(id, &reply);
        return r < 0 ? r : reply_write(&reply, json);
}

/* The sandbox, or the storage, was not what it should be: the client is told, not left with an empty line.
 */
static int trouble_text(const Task *task, const JobResult *result, Text *json) {
        _cleanup_text_ Text text = {};

        if (result->broken_errno > 0)
                text_append_printf(&text, "The guest could not run this: %s: %s.", result->broken_where,
                        strerror(result->broken_errno));
        else {
                const char *why = result->storage_error.size > 0 ? text_string(&result->storage_error)
                                                                 : strerror(result->storage_errno);
                text_append_printf(&text, "The storage of %s could not be unpacked: %.*s",
                        task->request.persist_key, (int)strcspn(why, "\n"), why);
        }
        int r = text_error(&text);
        return r < 0 ? r : reply_text(text_string(&text), task->request.id, json);
}

static void storage_trouble_append(JobResult *result, Reply *reply) {
        const char *why = result->storage_errno == EFBIG   ? "it is larger than allowed"
                          : result->storage_error.size > 0 ? text_string(&result->storage_error)
                                                           : strerror(result->storage_errno);

        if (result->storage_errno > 0) {
                text_append_string(&reply->result, " [Storage not kept: ");
                utf8_append_valid(&reply->result, why, strcspn(why, "\n"));
                text_append_string(&reply->result, "]\n");
        }
}

/* What of a frame is not the reply's object. */
#define FRAME_ROOM 64

/* Storage of the largest size and output of bytes that JSON writes as six may be more than a frame holds. */
static int write_without_storage(Reply *reply, Text *json) {
        text_done(&reply->storage);
        reply->have_storage = false;
        text_append_string(&reply->result, " [Storage not kept: too large beside so much output]\n");
        text_truncate(json, 0);
        return reply_write(reply, json);
}

int task_reply(const Task *task, JobResult *result, Text *json) {
        _cleanup_reply_ Reply reply = {};

        if (result->broken_errno > 0 || (result->storage_errno > 0 && !result->outcome.steps[0].started))
                return trouble_text(task, result, json);

        int r = report_make(&task->request, task->plan, &result->outcome, &reply);
        if (r < 0)
                return r;
        r = extension_begin(task->request.id, &reply);
        if (r < 0)
                return r;
        reply.probed = task->request.probe;
        reply.lanes = task->lanes;
        storage_trouble_append(result, &reply);
        if (result->have_storage && task->request.present) {
                text_move(&reply.storage, &result->storage);
                reply.have_storage = true;
        }
        r = reply_write(&reply, json);
        return r >= 0 && json->size > FRAME_SIZE_MAX - FRAME_ROOM && reply.have_storage
                       ? write_without_storage(&reply, json)
                       : r;
}
