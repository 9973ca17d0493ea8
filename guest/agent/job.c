/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/io.h"
#include "job-steps.h"
#include "tree-archive.h"

/* After cgroup.kill the job is gone in milliseconds, unless a process hangs in the kernel. Hundreds of
 * processes in an emulated guest on a busy host take seconds. */
#define DIE_USEC (8 * USEC_PER_SEC)

/* How often the CPU time of the whole job is looked at, and by how much it may pass the limit of one
 * process, so that the shell of a process that the kernel killed for it has time to say so. */
#define CPU_CHECK_USEC (250 * USEC_PER_MSEC)
#define CPU_GRACE_USEC USEC_PER_SEC
/* The kernel counts the time of a process in ticks and that of a cgroup exactly: the first is larger where
 * others, or other guests of a busy host, got a part of the ticks, but hardly by such a share of the limit.
 */
#define CPU_SLACK_SHARE 4

struct Job {
        JobContext *context;
        JobSpec spec;
        JobDone done;
        void *userdata;

        uint64_t number;
        Cgroup cgroup;
        int pidfd, control_fd;
        JobSteps steps;
        size_t current; /* the step that runs */
        bool clearing, dying;
        uint64_t started_usec;

        JobResult result;
        sd_event_source *control_source, *pidfd_source, *wall_source, *cpu_source, *die_source;
};

static void job_kill(Job *job);
static void job_advance(Job *job);

void job_result_done(JobResult *result) {
        for (size_t i = 0; i < ELEMENTSOF(result->outcome.steps); i++)
                step_outcome_done(&result->outcome.steps[i]);
        text_done(&result->storage);
        text_done(&result->storage_error);
        *result = (JobResult){};
}

static void on_output(const OutputPipe *pipe, void *userdata) {
        Job *job = userdata;

        if (pipe->fd < 0)
                job_advance(job);
        else if (output_flooded(pipe->budget))
                job_kill(job);
}

static int spawn(Job *job, int control_fd) {
        JobContext *context = job->context;
        SandboxSpec spec = {
                .user = context->user,
                .number = job->number,
                .limits = &job->spec.limits,
                .count_processes = !cgroups_have(context->cgroups, CGROUP_PIDS),
                .filter = &context->filter,
                .source_name = job->spec.source_name,
                .source = &job->spec.plan->source,
                .input = &job->spec.plan->input,
                .bind = { .name = job->spec.key, .fd = job->spec.bind_fd },
                .n_steps = job->steps.n,
                .cgroup_fd = job->cgroup.fd,
                .jobs = context->slots,
                .control_fd = control_fd,
        };
        /* What is written into a directory of the machine's stays when the job is gone. */
        _cleanup_namespaces_ Namespaces namespaces = job->spec.bind_fd >= 0
                                                             ? namespace_store_plain(context->namespaces)
                                                             : namespace_store_take(context->namespaces);
        pid_t pid;

        spec.namespaces = namespaces;
        /* They do not hold back a change of mode or times of what the user owns elsewhere. */
        spec.write_rules = context->write_rules && namespaces.outside.uid != namespaces.inside.uid;
        for (size_t i = 0; i < job->steps.n; i++)
                spec.steps[i] = job_steps_sandbox(&job->steps, &job->spec, i);
        int r = sandbox_spawn(&spec, &pid);
        if (r < 0)
                return r;
        job->pidfd = r;
        return 0;
}

static int command(Job *job, SandboxCommandKind kind) {
        SandboxCommand c = { .kind = kind, .step = (uint32_t)job->current };

        return send(job->control_fd, &c, sizeof(c), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void step_begin(Job *job) {
        JobStep *step = &job->steps.list[job->current];

        step->running = true;
        if (job->current > 0)
                step->cpu_before_usec = cgroup_cpu_usec(&job->cgroup);
        if (step->role == ROLE_PLAN)
                job->result.outcome.steps[step->plan_index].started = true;
        if (command(job, SANDBOX_RUN) < 0)
                job_kill(job);
}

/* Whether the step that is next is to be run, after those before it. */
static bool step_wanted(Job *job, const JobStep *step) {
        if (job->result.storage_errno > 0)
                return false;
        return step->role != ROLE_PLAN || step->plan_index == 0 ||
               plan_goes_on(job->spec.plan, &job->result.outcome.steps[0]);
}

/* Goes on when a step is over: the next one, or the end. */
static void job_advance(Job *job) {
        if (job->dying || job->clearing || !job_step_over(&job->steps.list[job->current]))
                return;

        const JobStep *step = &job->steps.list[job->current];
        if ((step->role == ROLE_UNPACK || step->role == ROLE_CLEAR) && (step->failed || step->status != 0))
                job->result.storage_errno = step->failed ? step->start_errno : EBADMSG;

        while (++job->current < job->steps.n)
                if (step_wanted(job, &job->steps.list[job->current]))
                        break;
        if (job->current >= job->steps.n) {
                job->result.clean = true;
                job_kill(job);
                return;
        }
        /* What a job left in the background must not change its files while they are packed. */
        if (job->steps.list[job->current].role == ROLE_PACK) {
                job->clearing = true;
                if (command(job, SANDBOX_CLEAR) < 0)
                        job_kill(job);
                return;
        }
        step_begin(job);
}

/* The kernel kills a process over its CPU time and tells nobody why; a shell makes 128 + 9 of it. */
static bool cpu_limit_killed(const Job *job, const JobStep *step) {
        int status = step->status;

        if (WIFSIGNALED(status) ? WTERMSIG(status) != SIGKILL : WEXITSTATUS(status) != 128 + SIGKILL)
                return false;
        uint64_t used = cgroup_cpu_usec(&job->cgroup) - step->cpu_before_usec;
        return used >= step->cpu_limit_usec - step->cpu_limit_usec / CPU_SLACK_SHARE;
}

static void step_report(Job *job, const SandboxReport *report) {
        if (report->step >= job->steps.n || !job->steps.list[report->step].running)
                return;

        JobStep *step = &job->steps.list[report->step];
        StepOutcome *outcome = &job->result.outcome.steps[step->plan_index];
        step->running = false;
        step->ended = report->kind == SANDBOX_ENDED;
        step->failed = !step->ended;
        step->status = step->ended ? report->value : 0;
        step->start_errno = step->failed ? report->value : 0;
        if (step->role != ROLE_PLAN)
                return;
        outcome->ended = step->ended;
        outcome->status = step->status;
        outcome->start_errno = step->start_errno;
        if (step->ended && cpu_limit_killed(job, step))
                job->result.outcome.cpu_exceeded = true;
}

static void report_handle(Job *job, const SandboxReport *report) {
        JobOutcome *outcome = &job->result.outcome;

        outcome->max_rss_bytes = MAX(outcome->max_rss_bytes, report->max_rss_bytes);
        outcome->disk_full = outcome->disk_full || report->disk_full;
        switch ((SandboxReportKind)report->kind) {
        case SANDBOX_BROKEN:
                job->result.broken_errno = report->value;
                memcpy(job->result.broken_where, report->where, sizeof(job->result.broken_where) - 1);
                job_kill(job);
                break;
        case SANDBOX_NOT_STARTED:
        case SANDBOX_ENDED:
                step_report(job, report);
                job_advance(job);
                break;
        case SANDBOX_CLEARED:
                if (!job->dying) {
                        job->clearing = false;
                        step_begin(job);
                }
                break;
        }
}

static int on_control(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events, void *userdata) {
        Job *job = userdata;
        SandboxReport report;

        ssize_t n = recv(fd, &report, sizeof(report), MSG_DONTWAIT);
        if (n == (ssize_t)sizeof(report))
                report_handle(job, &report);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                /* The init is gone; its pidfd tells the rest. */
                job->control_source = sd_event_source_disable_unref(job->control_source);
        return 0;
}

static void sources_drop(Job *job) {
        sd_event_source **const sources[] = { &job->control_source, &job->pidfd_source, &job->wall_source,
                &job->cpu_source, &job->die_source };

        for (size_t i = 0; i < ELEMENTSOF(sources); i++)
                *sources[i] = sd_event_source_disable_unref(*sources[i]);
}

static void reports_drain(Job *job) {
        SandboxReport report;

        while (recv(job->control_fd, &report, sizeof(report), MSG_DONTWAIT) == (ssize_t)sizeof(report))
                report_handle(job, &report);
}

/* The pack step went well, or there is nothing to keep: what an aborted job wrote is not kept. */
static void storage_judge(Job *job) {
        JobStep *last = &job->steps.list[job->steps.n - 1];

        if (last->role != ROLE_PACK)
                return;
        if (!job->result.clean || !last->ended) {
                text_done(&job->result.storage);
                return;
        }
        bool too_large = job->steps.storage_budget.truncated > 0 ||
                         (WIFEXITED(last->status) && WEXITSTATUS(last->status) == ARCHIVE_TOO_LARGE);
        if (too_large)
                job->result.storage_errno = EFBIG;
        else if (last->status != 0)
                job->result.storage_errno = EIO;
        else
                job->result.have_storage = true;
}

static void outcome_finish(Job *job) {
        JobOutcome *outcome = &job->result.outcome;
        CgroupUsage usage = cgroup_usage(&job->cgroup);

        outcome->oom = usage.oom;
        /* What would have told of its largest process was killed with it. */
        outcome->max_rss_bytes = MAX(outcome->max_rss_bytes, usage.memory_peak);
        outcome->processes_exceeded = usage.pids_max;
        outcome->cpu_usec = usage.cpu_usec;
        outcome->wall_usec = now_monotonic() - job->started_usec;
        outcome->truncated = job->steps.budget.truncated;
        outcome->output_limit = job->steps.budget.limit;
        if (usage.cpu_usec >= job->spec.limits.cpu_usec)
                outcome->cpu_exceeded = true;
        storage_judge(job);
}

/* pid 1 of the namespace, which ends after all others in it. */
static bool init_is_over(const Job *job) {
        siginfo_t info = {};

        return job->pidfd < 0 ||
               (waitid(P_PIDFD, (id_t)job->pidfd, &info, WEXITED | WNOHANG) >= 0 && info.si_pid > 0);
}

static void job_finish(Job *job) {
        sources_drop(job);
        job->dying = true;
        reports_drain(job);
        job_steps_drain(&job->steps, &job->result.outcome);
        job->result.stuck = !init_is_over(job);
        outcome_finish(job);
        cgroup_remove(&job->cgroup);

        JobResult result = job->result;
        job->result = (JobResult){};
        JobDone done = job->done;
        job->done = NULL;
        NamespaceStore *namespaces = job->context->namespaces;
        done(job, &result, job->userdata);
        namespace_store_fill(namespaces);
}

static int on_pidfd(
        _unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events, void *userdata) {
        job_finish(userdata);
        return 0;
}

static int on_die(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        job_finish(userdata);
        return 0;
}

static void job_kill(Job *job) {
        if (job->dying)
                return;
        job->dying = true;
        job->wall_source = sd_event_source_disable_unref(job->wall_source);
        job->cpu_source = sd_event_source_disable_unref(job->cpu_source);
        (void)cgroup_kill(&job->cgroup);
        (void)sd_event_add_time_relative(job->context->event, &job->die_source, CLOCK_MONOTONIC, DIE_USEC,
                50 * USEC_PER_MSEC, on_die, job);
}

static int on_wall(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        Job *job = userdata;

        job->result.outcome.timed_out = true;
        job_kill(job);
        return 0;
}

static int on_cpu(sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        Job *job = userdata;

        if (cgroup_cpu_usec(&job->cgroup) > usec_add(job->spec.limits.cpu_usec, CPU_GRACE_USEC)) {
                job->result.outcome.cpu_exceeded = true;
                job_kill(job);
                return 0;
        }
        (void)sd_event_source_set_time_relative(source, CPU_CHECK_USEC);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void job_cancel(Job *job) {
        job_kill(job);
}

static int sources_add(Job *job) {
        sd_event *event = job->context->event;

        int r = sd_event_add_io(event, &job->control_source, job->control_fd, EPOLLIN, on_control, job);
        /* As urgent as the output: that of another job may never pause. */
        if (r >= 0)
                r = sd_event_add_io(event, &job->pidfd_source, job->pidfd, EPOLLIN, on_pidfd, job);
        if (r >= 0)
                r = sd_event_add_time(event, &job->wall_source, CLOCK_MONOTONIC, job->spec.deadline_usec,
                        USEC_PER_MSEC, on_wall, job);
        if (r >= 0)
                r = sd_event_source_set_priority(job->wall_source, SD_EVENT_PRIORITY_IMPORTANT);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &job->cpu_source, CLOCK_MONOTONIC, CPU_CHECK_USEC,
                        50 * USEC_PER_MSEC, on_cpu, job);
        return r;
}

/* The directory's name must not be that of the storage. */
static uint64_t number_next(JobContext *context, const char *key) {
        char text[24];

        do
                (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)++context->last_number);
        while (key && streq(text, key));
        return context->last_number;
}

static int job_launch(Job *job) {
        _cleanup_close_ int inner = -EBADF;
        int fds[2];

        int r = job_steps_make(&job->steps, job->context, &job->spec, &job->result, on_output, job);
        if (r < 0)
                return r;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
                return -errno;
        job->control_fd = fds[0];
        inner = fds[1];

        /* One of an earlier agent's may still be dying. */
        for (unsigned i = 0; i < 100; i++) {
                r = cgroup_make(
                        job->context->cgroups, job->spec.own, job->number, &job->spec.limits, &job->cgroup);
                if (r != -EEXIST)
                        break;
                job->number = number_next(job->context, job->spec.key);
        }
        if (r >= 0)
                r = spawn(job, inner);
        job_steps_close_child_ends(&job->steps);
        if (r >= 0)
                r = sources_add(job);
        return r;
}

int job_start(JobContext *context, const JobSpec *spec, JobDone done, void *userdata, Job **ret) {
        Job *job = calloc(1, sizeof(Job));
        if (!job)
                return -ENOMEM;

        job->context = context;
        job->spec = *spec;
        job->number = number_next(context, spec->key);
        job->cgroup.fd = job->pidfd = job->control_fd = -EBADF;
        job->steps = JOB_STEPS_INIT;
        job->started_usec = now_monotonic();

        int r = job_launch(job);
        if (r < 0) {
                job_free(job);
                return r;
        }
        /* Set only now: a job that could not be started does not report. */
        job->done = done;
        job->userdata = userdata;
        *ret = job;
        step_begin(job);
        return 0;
}

Job *job_free(Job *job) {
        if (!job)
                return NULL;
        if (job->pidfd >= 0 && job->cgroup.fd >= 0)
                (void)cgroup_kill(&job->cgroup);
        sources_drop(job);
        job_steps_done(&job->steps);
        cgroup_remove(&job->cgroup);
        job_result_done(&job->result);
        fd_close(job->pidfd);
        fd_close(job->control_fd);
        free(job);
        return NULL;
}
