/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent.h"

#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>

#include <systemd/sd-daemon.h>

#include "channel.h"
#include "common/io.h"
#include "common/log.h"
#include "endpoint.h"
#include "health.h"
#include "heartbeat.h"
#include "task.h"
#include "vitals.h"
#include "write-rules.h"

#define BEAT_USEC USEC_PER_SEC

/* Ways that are open at once, devices included: when one more connection comes, the one that was idle
 * longest goes. */
#define LINKS_MAX 32

typedef struct Link {
        Agent *agent;
        unsigned token; /* of the device, 0 for a connection */
        Channel *channel;
        Heart *heart;
        Task *task; /* of the channel's request */
        struct Link *next;
} Link;

struct Agent {
        const Settings *settings;
        JobContext jobs;
        Vitals vitals;
        Health *health;
        Endpoints *endpoints;
        Link *links;
        size_t n_links;
        Task *queue, **queue_end; /* waiting, oldest first */
        Task *running;
        unsigned n_running;
        uint64_t beats, served;
        bool ready;
        char *archive_program;
        sd_event_source *beat;
};

static void dispatch(Agent *agent);

static void link_free(Link *link) {
        Agent *agent = link->agent;

        for (Link **l = &agent->links; *l; l = &(*l)->next)
                if (*l == link) {
                        *l = link->next;
                        agent->n_links--;
                        break;
                }
        channel_free(link->channel);
        heart_free(link->heart);
        free(link);
}

/* Answers whoever still waits; without memory for it, nobody is left waiting for ever by a silent channel,
 * for the host's own time limit ends it. */
static void answer(Channel *channel, Text *json, int r) {
        if (r < 0) {
                log_warning_errno(r, "%s: failed to make an answer: %m", channel_name(channel));
                channel_no_reply(channel);
        } else
                channel_reply(channel, json->data, json->size);
}

static void answer_text(Channel *channel, const char *text, const char *id) {
        _cleanup_text_ Text json = {};

        answer(channel, &json, reply_text(text, id, &json));
}

static void running_remove(Agent *agent, Task *task) {
        for (Task **t = &agent->running; *t; t = &(*t)->next)
                if (*t == task) {
                        *t = task->next;
                        agent->n_running--;
                        return;
                }
}

/* Answers a task by its result and forgets it. */
static void task_finish(Task *task, JobResult *result) {
        Link *link = task->client;

        if (link) {
                _cleanup_text_ Text json = {};
                int r = task_reply(task, result, &json);
                link->task = NULL;
                answer(link->channel, &json, r);
        }
        task_free(task);
}

static void on_job_done(_unused_ Job *job, JobResult *result, void *userdata) {
        Task *task = userdata;
        Agent *agent = task->owner;

        if (result->broken_errno > 0)
                log_warning_errno(-result->broken_errno, "A sandbox could not be built (%s): %m",
                        result->broken_where);
        if (result->stuck) {
                log_error("The processes of a job do not die.");
                health_condemn(agent->health);
        }
        agent->served++;
        running_remove(agent, task);
        task_finish(task, result);
        job_result_done(result);
        dispatch(agent);
}

/* Ended by the clock before it began, or not to be started: the same texts as for one that ran. */
static void task_fail(Task *task, bool timed_out, int error) {
        JobResult result = {
                .outcome = { .timed_out = timed_out, .output_limit = task->limits.output_bytes },
                .broken_errno = -error,
        };

        if (error < 0) {
                log_warning_errno(error, "A job could not be started: %m");
                (void)snprintf(result.broken_where, sizeof(result.broken_where), "start");
        }
        task_finish(task, &result);
        job_result_done(&result);
}

static void task_start(Agent *agent, Task *task) {
        uint64_t now = now_monotonic();
        JobSpec spec = {
                .plan = task->plan,
                .source_name = task->request.sourcefile,
                .limits = task->limits,
                .deadline_usec = task_deadline(task, now),
                .key = task->request.present ? task->key : NULL,
                .storage = task->request.have_storage && task->key ? &task->request.storage : NULL,
                .bind_fd = -EBADF,
                .pack = task->request.present && task->key,
        };

        if (spec.deadline_usec <= now) {
                task_fail(task, true, 0);
                return;
        }
        int r = job_start(&agent->jobs, &spec, on_job_done, task, &task->job);
        if (r < 0) {
                task_fail(task, false, r);
                return;
        }
        task->next = agent->running;
        agent->running = task;
        agent->n_running++;
}

/* One key at a time: the second of two requests sees what the first one kept. */
static bool key_in_use(const Agent *agent, const Task *task) {
        for (const Task *other = agent->running; task->key && other; other = other->next)
                if (streq_ptr(other->key, task->key))
                        return true;
        return false;
}

static Task *queue_take(Agent *agent) {
        for (Task **t = &agent->queue; *t; t = &(*t)->next) {
                Task *task = *t;
                if (key_in_use(agent, task))
                        continue;
                *t = task->next;
                if (!*t)
                        agent->queue_end = t;
                task->next = NULL;
                return task;
        }
        return NULL;
}

static void dispatch(Agent *agent) {
        while (agent->n_running < agent->settings->slots) {
                Task *task = queue_take(agent);
                if (!task)
                        return;
                task_start(agent, task);
        }
}

static void queue_add(Agent *agent, Task *task) {
        *agent->queue_end = task;
        agent->queue_end = &task->next;
}

static void queue_drop(Agent *agent, Task *task) {
        for (Task **t = &agent->queue; *t; t = &(*t)->next)
                if (*t == task) {
                        *t = task->next;
                        if (!*t)
                                agent->queue_end = t;
                        task_free(task);
                        return;
                }
}

static void on_request(Channel *channel, const char *json, size_t size, void *userdata) {
        Link *link = userdata;
        Agent *agent = link->agent;
        _cleanup_text_ Text error = {};
        Task *task;

        if (!json) {
                answer_text(channel, "Request is too long.", NULL);
                return;
        }
        int r = task_new(json, size, &agent->settings->limits, &task, &error);
        if (r < 0) {
                answer_text(
                        channel, r == -EBADMSG ? text_string(&error) : "The guest is out of memory.", NULL);
                return;
        }
        vitals_apply(&agent->vitals, &task->request);
        task->owner = agent;
        task->client = link;
        link->task = task;
        queue_add(agent, task);
        dispatch(agent);
}

/* Nobody waits for the answer: what has not begun does not, what runs is ended. */
static void on_abandoned(_unused_ Channel *channel, void *userdata) {
        Link *link = userdata;
        Task *task = TAKE_PTR(link->task);

        if (!task)
                return;
        task->client = NULL;
        if (task->job)
                job_cancel(task->job);
        else
                queue_drop(link->agent, task);
}

static void link_close(Link *link) {
        Agent *agent = link->agent;
        unsigned token = link->token;

        on_abandoned(NULL, link);
        link_free(link);
        if (token > 0)
                endpoints_closed(agent->endpoints, token);
}

static void on_channel_closed(_unused_ Channel *channel, void *userdata) {
        link_close(userdata);
}

static void on_heart_closed(_unused_ Heart *heart, void *userdata) {
        link_close(userdata);
}

static bool on_healthy(void *userdata) {
        const Link *link = userdata;

        return health_good(link->agent->health);
}

/* Room for one more: the connection that was idle longest goes. Devices stay. */
static int links_make_room(Agent *agent) {
        Link *oldest = NULL;

        if (agent->n_links < LINKS_MAX)
                return 0;
        for (Link *l = agent->links; l; l = l->next) {
                if (l->token > 0 || !l->channel || channel_busy(l->channel))
                        continue;
                if (!oldest || channel_last_used(l->channel) < channel_last_used(oldest->channel))
                        oldest = l;
        }
        if (!oldest)
                return -EBUSY;
        link_close(oldest);
        return 0;
}

static int link_open(Link *link, EndpointRole role, int fd, StreamKind kind, const char *name) {
        static const ChannelHandlers channel_handlers = {
                .request = on_request,
                .abandoned = on_abandoned,
                .closed = on_channel_closed,
        };
        static const HeartHandlers heart_handlers = { .healthy = on_healthy, .closed = on_heart_closed };
        sd_event *event = link->agent->jobs.event;

        if (role == ENDPOINT_DATA)
                return channel_new(event, fd, kind, name, &channel_handlers, link, &link->channel);
        return heart_new(event, fd, kind, &heart_handlers, link, &link->heart);
}

static int on_opened(
        EndpointRole role, int fd, StreamKind kind, const char *name, unsigned token, void *userdata) {
        Agent *agent = userdata;
        _cleanup_close_ int owned = fd;

        int r = links_make_room(agent);
        if (r < 0)
                return r;
        Link *link = calloc(1, sizeof(Link));
        if (!link)
                return -ENOMEM;
        *link = (Link){ .agent = agent, .token = token, .next = agent->links };
        agent->links = link;
        agent->n_links++;

        r = link_open(link, role, TAKE_FD(owned), kind, name);
        if (r < 0)
                link_free(link);
        return r;
}

static void status_notify(const Agent *agent) {
        (void)sd_notifyf(false, "STATUS=%s; %u of %u jobs running, %" PRIu64 " served.",
                health_good(agent->health) ? "Able to run jobs" : "Not able to run jobs", agent->n_running,
                agent->settings->slots, agent->served);
}

/* systemd's watchdog hears of the agent only while it is able to do its work: a new start may mend it. */
static int on_beat(sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        Agent *agent = userdata;

        if (health_good(agent->health)) {
                agent->beats++;
                for (Link *l = agent->links; l; l = l->next)
                        if (l->heart)
                                heart_beat(l->heart, agent->beats);
                (void)sd_notify(false, "WATCHDOG=1");
        }
        status_notify(agent);
        (void)sd_event_source_set_time_relative(source, BEAT_USEC);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* Ready means that a job has been run. */
static void on_health(bool healthy, void *userdata) {
        Agent *agent = userdata;

        if (!healthy)
                log_error("This guest is not able to run jobs; the heartbeat stops.");
        else if (agent->ready)
                log_notice("This guest is able to run jobs again.");
        if (healthy && !agent->ready) {
                agent->ready = true;
                log_info("Ready.");
                (void)sd_notify(false, "READY=1");
        }
}

static int user_find(Agent *agent) {
        errno = 0;
        const struct passwd *user = getpwnam(agent->settings->user);

        if (!user || user->pw_uid == 0) {
                int r = user || errno == 0 ? -ENOENT : -errno;
                return log_error_errno(r, "There is no user %s without privileges to run jobs as: %m",
                        agent->settings->user);
        }
        agent->jobs.user = agent->settings->user;
        agent->jobs.uid = user->pw_uid;
        agent->jobs.gid = user->pw_gid;
        return 0;
}

/* It lies where the agent itself lies, installed or not. */
static int archive_find(Agent *agent) {
        char self[PATH_MAX];
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

        if (n < 0)
                return -errno;
        self[n] = '\0';
        return asprintf(&agent->archive_program, "%s/pbotvm-archive", dirname(self)) < 0 ? -ENOMEM : 0;
}

static int jobs_prepare(Agent *agent) {
        int r = user_find(agent);
        if (r < 0)
                return r;
        r = cgroups_new(&agent->jobs.cgroups);
        if (r < 0)
                return log_error_errno(r, "Failed to set up the cgroups of jobs: %m");
        if (!cgroups_have(agent->jobs.cgroups, CGROUP_MEMORY) ||
                !cgroups_have(agent->jobs.cgroups, CGROUP_PIDS))
                log_warning("No cgroup controller for memory or processes here: jobs are limited less "
                            "strictly.");
        r = seccomp_filter_make(&agent->jobs.filter);
        if (r < 0)
                return log_error_errno(r, "Failed to make the system call filter: %m");
        r = network_store_new(agent->jobs.event, &agent->jobs.networks);
        if (r < 0)
                return log_error_errno(r, "Failed to make networks for jobs: %m");
        agent->jobs.write_rules = write_rules_available();
        r = archive_find(agent);
        if (r < 0)
                return log_error_errno(r, "Failed to find pbotvm-archive: %m");
        agent->jobs.archive_program = agent->archive_program;
        agent->jobs.storage_max = agent->settings->storage_bytes;
        return 0;
}

static int serving_start(Agent *agent) {
        int r = health_new(&agent->jobs, on_health, agent, &agent->health);
        if (r < 0)
                return log_error_errno(r, "Failed to start the self-check: %m");
        r = endpoints_new(agent->jobs.event, agent->settings, on_opened, agent, &agent->endpoints);
        if (r == -ENODEV)
                return log_error_errno(r, "Neither a device nor a socket to serve is configured.");
        if (r < 0)
                return log_error_errno(r, "Failed to open the devices: %m");
        r = sd_event_add_time_relative(agent->jobs.event, &agent->beat, CLOCK_MONOTONIC, BEAT_USEC,
                20 * USEC_PER_MSEC, on_beat, agent);
        return r < 0 ? log_error_errno(r, "Failed to start the heartbeat: %m") : 0;
}

int agent_new(sd_event *event, const Settings *settings, Agent **ret) {
        _cleanup_(agent_freep) Agent *agent = calloc(1, sizeof(Agent));
        if (!agent)
                return log_oom();

        agent->settings = settings;
        agent->queue_end = &agent->queue;
        agent->jobs.event = sd_event_ref(event);
        int r = jobs_prepare(agent);
        if (r >= 0)
                r = serving_start(agent);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(agent);
        return 0;
}

static void tasks_free(Task *task) {
        while (task) {
                Task *next = task->next;
                task_free(task);
                task = next;
        }
}

Agent *agent_free(Agent *agent) {
        if (!agent)
                return NULL;
        sd_event_source_disable_unref(agent->beat);
        endpoints_free(agent->endpoints);
        while (agent->links)
                link_free(agent->links);
        tasks_free(agent->queue);
        tasks_free(agent->running);
        health_free(agent->health);
        network_store_free(agent->jobs.networks);
        seccomp_filter_done(&agent->jobs.filter);
        cgroups_free(agent->jobs.cgroups);
        free(agent->archive_program);
        sd_event_unref(agent->jobs.event);
        free(agent);
        return NULL;
}
