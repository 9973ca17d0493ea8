/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job-steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "common/io.h"

/* What pbotvm-archive may say of its trouble. */
#define STORAGE_ERROR_MAX 4096

typedef struct Maker {
        JobSteps *steps;
        const JobContext *context;
        const JobSpec *spec;
        JobResult *result;
        OutputPipeNews news;
        void *userdata;
} Maker;

static int pipe_open(const Maker *maker, OutputPipe *pipe, bool terminal, OutputBudget *budget, Text *text) {
        return output_pipe_open(
                pipe, maker->context->event, terminal, budget, text, maker->news, maker->userdata);
}

/* A compiler takes more than programs may, as with PBot, which limits the program alone. */
static bool step_is_program(const Plan *plan, StepRole role, size_t plan_index) {
        return role == ROLE_PLAN && (!plan->compiles || plan_index > 0);
}

/* What a debugger needs is not the program's. */
static uint64_t step_cpu_limit(const JobSpec *spec, StepRole role, size_t plan_index) {
        return step_is_program(spec->plan, role, plan_index) && !spec->plan->debugged
                       ? limits_process_cpu(&spec->limits)
                       : spec->limits.cpu_usec;
}

static int step_add(const Maker *maker, StepRole role, size_t plan_index) {
        JobSteps *steps = maker->steps;
        StepOutcome *outcome = &maker->result->outcome.steps[plan_index];
        JobStep *step = &steps->list[steps->n++];
        int r;

        *step = (JobStep){
                .role = role,
                .plan_index = plan_index,
                .out = OUTPUT_PIPE_INIT,
                .err = OUTPUT_PIPE_INIT,
                .notes_fd = -EBADF,
                .cpu_limit_usec = step_cpu_limit(maker->spec, role, plan_index),
        };
        if (role == ROLE_PLAN && maker->spec->plan->steps[plan_index].notes) {
                step->notes_fd = notes_make();
                if (step->notes_fd < 0)
                        return step->notes_fd;
        }
        if (role == ROLE_PLAN) {
                r = pipe_open(maker, &step->out, maker->spec->plan->steps[plan_index].terminal,
                        &steps->budget, &outcome->out);
                return r < 0 ? r : pipe_open(maker, &step->err, false, &steps->budget, &outcome->err);
        }
        if (role == ROLE_PACK)
                r = pipe_open(maker, &step->out, false, &steps->storage_budget, &maker->result->storage);
        else
                r = pipe_open(maker, &step->out, false, &steps->storage_error_budget,
                        &maker->result->storage_error);
        if (r < 0)
                return r;
        return pipe_open(
                maker, &step->err, false, &steps->storage_error_budget, &maker->result->storage_error);
}

/* Writes the archive where the unpacking step reads it: in memory, so no path is involved. */
static int storage_prepare(JobSteps *steps, const JobContext *context, const JobSpec *spec) {
        static const char *const verbs[] = {
                [ROLE_CLEAR] = "clear",
                [ROLE_UNPACK] = "unpack",
                [ROLE_PACK] = "pack",
        };

        /* A directory of the machine's keeps what was in /tmp beside the rest. */
        const char *tmp = spec->bind_fd >= 0 ? ".pbotvm-tmp" : "/tmp";

        (void)snprintf(steps->storage_max, sizeof(steps->storage_max), "%" PRIu64, context->storage_max);
        for (size_t i = 0; i < ELEMENTSOF(steps->archive_argv); i++) {
                char *argv[] = { (char *)context->archive_program, (char *)verbs[i], (char *)spec->key,
                        steps->storage_max, (char *)tmp, NULL };
                memcpy(steps->archive_argv[i], argv, sizeof(argv));
        }
        if (!spec->storage)
                return 0;

        steps->storage_fd = memfd_create("storage", MFD_CLOEXEC);
        if (steps->storage_fd < 0)
                return -errno;
        int r = io_write(steps->storage_fd, text_string(spec->storage), spec->storage->size, USEC_INFINITY);
        if (r < 0)
                return r;
        return lseek(steps->storage_fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

int job_steps_make(JobSteps *steps, const JobContext *context, const JobSpec *spec, JobResult *result,
        OutputPipeNews news, void *userdata) {
        const Maker maker = { steps, context, spec, result, news, userdata };
        int r = 0;

        *steps = JOB_STEPS_INIT;
        steps->budget.limit = spec->limits.output_bytes;
        steps->storage_budget.limit = context->storage_max;
        steps->storage_error_budget.limit = STORAGE_ERROR_MAX;

        if (spec->clear)
                r = step_add(&maker, ROLE_CLEAR, 0);
        if (r >= 0 && spec->storage)
                r = step_add(&maker, ROLE_UNPACK, 0);
        for (size_t i = 0; r >= 0 && i < spec->plan->n_steps; i++)
                r = step_add(&maker, ROLE_PLAN, i);
        if (r >= 0 && spec->pack)
                r = step_add(&maker, ROLE_PACK, 0);
        return r < 0 ? r : storage_prepare(steps, context, spec);
}

SandboxStep job_steps_sandbox(const JobSteps *steps, const JobSpec *spec, size_t i) {
        const JobLimits *limits = &spec->limits;
        const JobStep *step = &steps->list[i];
        SandboxStep s = {
                .in_fd = -EBADF,
                .out_fd = step->out.child_fd,
                .err_fd = step->err.child_fd,
                .notes_fd = step->notes_fd,
                .limits = { step->cpu_limit_usec, limits->disk_bytes, limits->processes },
        };

        if (step->role != ROLE_PLAN) {
                s.argv = (char *const *)steps->archive_argv[step->role];
                s.in_fd = step->role == ROLE_UNPACK ? steps->storage_fd : -EBADF;
                s.home = true;
                return s;
        }

        const Plan *plan = spec->plan;
        const Step *planned = &plan->steps[step->plan_index];
        s.argv = planned->argv;
        s.direct = planned->direct;
        s.env = planned->env;
        s.stdin_file = planned->stdin_file;
        s.write_files = step->plan_index == 0;
        if (step_is_program(plan, step->role, step->plan_index))
                s.limits.file_bytes = limits->file_bytes;
        return s;
}

void job_steps_close_child_ends(JobSteps *steps) {
        for (size_t i = 0; i < steps->n; i++) {
                output_pipe_close_child(&steps->list[i].out);
                output_pipe_close_child(&steps->list[i].err);
        }
        steps->storage_fd = fd_close(steps->storage_fd);
}

bool job_step_over(const JobStep *step) {
        return (step->ended || step->failed) && step->out.fd < 0 && step->err.fd < 0;
}

void job_steps_drain(JobSteps *steps, JobOutcome *outcome) {
        for (size_t i = 0; i < steps->n; i++) {
                JobStep *step = &steps->list[i];

                output_pipe_drain(&step->out);
                output_pipe_drain(&step->err);
                /* Without them the report tells less. */
                if (step->notes_fd >= 0)
                        (void)notes_read(step->notes_fd, outcome->steps[step->plan_index].notes);
        }
}

void job_steps_done(JobSteps *steps) {
        job_steps_close_child_ends(steps);
        for (size_t i = 0; i < steps->n; i++) {
                output_pipe_close(&steps->list[i].out);
                output_pipe_close(&steps->list[i].err);
                fd_close(steps->list[i].notes_fd);
        }
        *steps = JOB_STEPS_INIT;
}
