/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/io.h"
#include "output.h"
#include "tree-archive.h"

/* After cgroup.kill the job is gone in milliseconds, unless a process hangs in the kernel. */
#define DIE_USEC (3 * USEC_PER_SEC)

/* How often the CPU time of the whole job is looked at, and by how much it may pass the limit of one
 * process, so that the shell of a process that the kernel killed for it has time to say so. */
#define CPU_CHECK_USEC (250 * USEC_PER_MSEC)
#define CPU_GRACE_USEC USEC_PER_SEC
/* The kernel counts the time of a process and that of a cgroup apart, in ticks and exactly. */
#define CPU_SLACK_USEC (20 * USEC_PER_MSEC)

typedef enum StepRole {
        ROLE_CLEAR,
        ROLE_UNPACK,
        ROLE_PLAN,
        ROLE_PACK,
} StepRole;

typedef struct JobStream {
        Job *job;
        int fd; /* our end; -EBADF after the end of file */
        int child_fd;
        sd_event_source *source;
        OutputBudget *budget;
        Text *text;
} JobStream;

typedef struct JobStep {
        StepRole role;
        size_t plan_index;
        JobStream out, err;
        bool running, ended, failed;
        int status, start_errno;
} JobStep;

struct Job {
        JobContext *context;
        JobSpec spec;
        JobDone done;
        void *userdata;

        uint64_t number;
        Cgroup cgroup;
        int pidfd, control_fd, storage_fd;
        JobStep steps[SANDBOX_STEPS_MAX];
        size_t n_steps, current;
        bool clearing, dying;
        uint64_t started_usec;

        OutputBudget budget, storage_budget, storage_error_budget;
        JobResult result;
        char *archive_argv[ROLE_PACK + 1][5]; /* by role */
        char storage_max[24];
        sd_event_source *control_source, *pidfd_source, *wall_source, *cpu_source, *die_source;
};

static void job_kill(Job *job);
static void job_advance(Job *job);

void job_result_done(JobResult *result) {
        for (size_t i = 0; i < ELEMENTSOF(result->outcome.steps); i++) {
                text_done(&result->outcome.steps[i].out);
                text_done(&result->outcome.steps[i].err);
        }
        text_done(&result->storage);
        text_done(&result->storage_error);
        *result = (JobResult){};
}

static void stream_close(JobStream *stream) {
        stream->source = sd_event_source_disable_unref(stream->source);
        stream->fd = fd_close(stream->fd);
}

/* A step is over when its process has ended and nobody holds its output any more, as PBot's agent waits. */
static bool step_over(const JobStep *step) {
        return (step->ended || step->failed) && step->out.fd < 0 && step->err.fd < 0;
}

static int on_stream(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events, void *userdata) {
        JobStream *stream = userdata;
        Job *job = stream->job;

        ssize_t n = output_read(fd, stream->budget, stream->text);
        if (n == -EAGAIN)
                return 0;
        if (n <= 0) {
                stream_close(stream);
                job_advance(job);
        } else if (output_flooded(stream->budget))
                job_kill(job);
        return 0;
}

static int stream_open(Job *job, JobStream *stream, OutputBudget *budget, Text *text) {
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        *stream =
                (JobStream){ .job = job, .fd = fds[0], .child_fd = fds[1], .budget = budget, .text = text };
        /* The pipe is ours, and the job's user opens /dev/stdout and /dev/stderr by name: to write alone. */
        if (fchmod(stream->child_fd, 0222) < 0)
                return -errno;
        int r = fd_set_nonblocking(stream->fd, true);
        if (r < 0)
                return r;
        return sd_event_add_io(job->context->event, &stream->source, stream->fd, EPOLLIN, on_stream, stream);
}

static int step_add(Job *job, StepRole role, size_t plan_index) {
        JobStep *step = &job->steps[job->n_steps++];
        StepOutcome *outcome = &job->result.outcome.steps[plan_index];

        *step = (JobStep){ .role = role,
                .plan_index = plan_index,
                .out.fd = -EBADF,
                .err.fd = -EBADF,
                .out.child_fd = -EBADF,
                .err.child_fd = -EBADF };
        int r;
        switch (role) {
        case ROLE_PLAN:
                r = stream_open(job, &step->out, &job->budget, &outcome->out);
                if (r >= 0)
                        r = stream_open(job, &step->err, &job->budget, &outcome->err);
                return r;
        case ROLE_PACK:
                r = stream_open(job, &step->out, &job->storage_budget, &job->result.storage);
                break;
        case ROLE_UNPACK:
        default:
                r = stream_open(job, &step->out, &job->storage_error_budget, &job->result.storage_error);
                break;
        }
        if (r >= 0)
                r = stream_open(job, &step->err, &job->storage_error_budget, &job->result.storage_error);
        return r;
}

static int steps_make(Job *job) {
        int r = 0;

        job->budget = (OutputBudget){ .limit = job->spec.limits.output_bytes };
        job->storage_budget = (OutputBudget){ .limit = job->context->storage_max };
        job->storage_error_budget = (OutputBudget){ .limit = 4096 };

        if (job->spec.clear)
                r = step_add(job, ROLE_CLEAR, 0);
        if (r >= 0 && job->spec.storage)
                r = step_add(job, ROLE_UNPACK, 0);
        for (size_t i = 0; r >= 0 && i < job->spec.plan->n_steps; i++)
                r = step_add(job, ROLE_PLAN, i);
        if (r >= 0 && job->spec.pack)
                r = step_add(job, ROLE_PACK, 0);
        return r;
}

/* Writes the archive where the unpacking step reads it: in memory, so no path is involved. */
static int storage_prepare(Job *job) {
        (void)snprintf(job->storage_max, sizeof(job->storage_max), "%llu",
                (unsigned long long)job->context->storage_max);
        for (size_t i = 0; i < ELEMENTSOF(job->archive_argv); i++) {
                static const char *const verbs[] = {
                        [ROLE_CLEAR] = "clear",
                        [ROLE_UNPACK] = "unpack",
                        [ROLE_PACK] = "pack",
                };
                char *argv[] = { (char *)job->context->archive_program, (char *)verbs[i],
                        (char *)job->spec.key, job->storage_max, NULL };
                memcpy(job->archive_argv[i], argv, sizeof(argv));
        }
        if (!job->spec.storage)
                return 0;

        job->storage_fd = memfd_create("storage", MFD_CLOEXEC);
        if (job->storage_fd < 0)
                return -errno;
        int r = io_write(
                job->storage_fd, text_string(job->spec.storage), job->spec.storage->size, USEC_INFINITY);
        if (r < 0)
                return r;
        return lseek(job->storage_fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static uint64_t process_cpu_usec(const JobLimits *limits) {
        return MIN(limits->process_cpu_usec, limits->cpu_usec);
}

static SandboxStep sandbox_step_of(const Job *job, const JobStep *step) {
        const JobLimits *limits = &job->spec.limits;
        const Plan *plan = job->spec.plan;
        SandboxStep s = {
                .in_fd = -EBADF,
                .out_fd = step->out.child_fd,
                .err_fd = step->err.child_fd,
                .limits = {
                        .cpu_usec = limits->cpu_usec,
                        .file_bytes = limits->disk_bytes,
                        .processes = limits->processes,
                },
        };

        if (step->role != ROLE_PLAN) {
                s.argv = job->archive_argv[step->role];
                s.in_fd = step->role == ROLE_UNPACK ? job->storage_fd : -EBADF;
                s.home = true;
                return s;
        }
        s.argv = plan->steps[step->plan_index].argv;
        s.direct = plan->steps[step->plan_index].direct;
        s.env = plan->steps[step->plan_index].env;
        s.stdin_file = plan->steps[step->plan_index].stdin_file;
        s.write_files = step->plan_index == 0;
        /* A compiler takes more than programs may, as with PBot, which limits the program alone. */
        if (plan->compiles && step->plan_index == 0)
                return s;
        s.limits.file_bytes = limits->file_bytes;
        /* What a debugger needs is not the program's. */
        if (!plan->debugged)
                s.limits.cpu_usec = process_cpu_usec(limits);
        return s;
}

static int spawn(Job *job, int control_fd) {
        JobContext *context = job->context;
        SandboxSpec spec = {
                .user = context->user,
                .uid = context->uid,
                .gid = context->gid,
                .number = job->number,
                .limits = &job->spec.limits,
                .count_processes = !cgroups_have(context->cgroups, CGROUP_PIDS),
                .filter = &context->filter,
                .write_rules = context->write_rules,
                .source_name = job->spec.source_name,
                .source = &job->spec.plan->source,
                .input = &job->spec.plan->input,
                .bind = { .name = job->spec.key, .fd = job->spec.bind_fd },
                .n_steps = job->n_steps,
                .cgroup_fd = job->cgroup.fd,
                .control_fd = control_fd,
        };
        _cleanup_namespaces_ Namespaces namespaces = namespace_store_take(context->namespaces);
        pid_t pid;

        spec.namespaces = namespaces;
        for (size_t i = 0; i < job->n_steps; i++)
                spec.steps[i] = sandbox_step_of(job, &job->steps[i]);
        int r = sandbox_spawn(&spec, &pid);
        if (r < 0)
                return r;
        job->pidfd = r;
        return 0;
}

static void child_ends_close(Job *job) {
        for (size_t i = 0; i < job->n_steps; i++) {
                job->steps[i].out.child_fd = fd_close(job->steps[i].out.child_fd);
                job->steps[i].err.child_fd = fd_close(job->steps[i].err.child_fd);
        }
        job->storage_fd = fd_close(job->storage_fd);
}

static int command(Job *job, SandboxCommandKind kind) {
        SandboxCommand c = { .kind = kind, .step = (uint32_t)job->current };

        return send(job->control_fd, &c, sizeof(c), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void step_begin(Job *job) {
        JobStep *step = &job->steps[job->current];

        step->running = true;
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
        if (job->dying || job->clearing || !step_over(&job->steps[job->current]))
                return;

        const JobStep *step = &job->steps[job->current];
        if ((step->role == ROLE_UNPACK || step->role == ROLE_CLEAR) && (step->failed || step->status != 0))
                job->result.storage_errno = step->failed ? step->start_errno : EBADMSG;

        while (++job->current < job->n_steps)
                if (step_wanted(job, &job->steps[job->current]))
                        break;
        if (job->current >= job->n_steps) {
                job->result.clean = true;
                job_kill(job);
                return;
        }
        /* What a job left in the background must not change its files while they are packed. */
        if (job->steps[job->current].role == ROLE_PACK) {
                job->clearing = true;
                if (command(job, SANDBOX_CLEAR) < 0)
                        job_kill(job);
                return;
        }
        step_begin(job);
}

static void step_report(Job *job, const SandboxReport *report) {
        if (report->step >= job->n_steps || !job->steps[report->step].running)
                return;

        JobStep *step = &job->steps[report->step];
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

static void streams_drain(Job *job) {
        for (size_t i = 0; i < job->n_steps; i++) {
                JobStream *const streams[] = { &job->steps[i].out, &job->steps[i].err };
                for (size_t j = 0; j < ELEMENTSOF(streams); j++) {
                        if (streams[j]->fd >= 0)
                                output_drain(streams[j]->fd, streams[j]->budget, streams[j]->text);
                        stream_close(streams[j]);
                }
        }
}

static void reports_drain(Job *job) {
        SandboxReport report;

        while (recv(job->control_fd, &report, sizeof(report), MSG_DONTWAIT) == (ssize_t)sizeof(report))
                report_handle(job, &report);
}

/* The pack step went well, or there is nothing to keep: what an aborted job wrote is not kept. */
static void storage_judge(Job *job) {
        JobStep *last = &job->steps[job->n_steps - 1];

        if (last->role != ROLE_PACK)
                return;
        if (!job->result.clean || !last->ended) {
                text_done(&job->result.storage);
                return;
        }
        bool too_large = job->storage_budget.truncated > 0 ||
                         (WIFEXITED(last->status) && WEXITSTATUS(last->status) == ARCHIVE_TOO_LARGE);
        if (too_large)
                job->result.storage_errno = EFBIG;
        else if (last->status != 0)
                job->result.storage_errno = EIO;
        else
                job->result.have_storage = true;
}

/* The kernel kills a process over its CPU time and tells nobody why; a shell makes 128 + 9 of it. */
static bool process_cpu_exceeded(const Job *job, uint64_t cpu_usec) {
        if (job->spec.plan->debugged ||
                usec_add(cpu_usec, CPU_SLACK_USEC) < process_cpu_usec(&job->spec.limits))
                return false;
        for (size_t i = 0; i < job->spec.plan->n_steps; i++) {
                const StepOutcome *step = &job->result.outcome.steps[i];
                if (step->ended && (WIFSIGNALED(step->status) ? WTERMSIG(step->status) == SIGKILL
                                                              : WEXITSTATUS(step->status) == 128 + SIGKILL))
                        return true;
        }
        return false;
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
        outcome->truncated = job->budget.truncated;
        outcome->output_limit = job->budget.limit;
        if (usage.cpu_usec >= job->spec.limits.cpu_usec || process_cpu_exceeded(job, usage.cpu_usec))
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
        streams_drain(job);
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

        int r = steps_make(job);
        if (r >= 0)
                r = storage_prepare(job);
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
        child_ends_close(job);
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
        job->cgroup.fd = job->pidfd = job->control_fd = job->storage_fd = -EBADF;
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
        child_ends_close(job);
        for (size_t i = 0; i < job->n_steps; i++) {
                stream_close(&job->steps[i].out);
                stream_close(&job->steps[i].err);
        }
        cgroup_remove(&job->cgroup);
        job_result_done(&job->result);
        fd_close(job->pidfd);
        fd_close(job->control_fd);
        free(job);
        return NULL;
}
