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
#include "door.h"
#include "endpoint.h"
#include "health.h"
#include "heartbeat.h"
#include "job-limits.h"
#include "journal.h"
#include "runner.h"
#include "vitals.h"
#include "write-rules.h"

#define BEAT_USEC USEC_PER_SEC

/* The unit's WatchdogSec= is three times this many seconds. */
#define NOTIFY_TICKS 10

/* Ways that are open at once, devices included: when one more connection comes, the one that was idle
 * longest goes. */
#define LINKS_MAX 32

typedef struct Link {
        Agent *agent;
        unsigned token; /* of the device, 0 for a connection */
        bool port;      /* virtio-serial: whoever is there is the host */
        bool lane;      /* in one of a port's lanes */
        bool doubted;   /* anybody of the host may be there */
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
        Journal *journal;
        Endpoints *endpoints;
        Door *door;
        Link *links;
        size_t n_links;
        Disk *disk;
        Runner *runner;
        uint64_t beats, ticks, served;
        bool ready;
        bool host_is_ours; /* the last request came from pbotvm, not from PBot */
        char *archive_program;
        sd_event_source *beat;
};

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

static void on_task_done(const Task *task, JobResult *result, void *userdata) {
        Agent *agent = userdata;
        Link *link = task->client;

        agent->served++;
        if (result->broken_errno > 0 && link)
                log_warning_errno(
                        -result->broken_errno, "A job could not be run (%s): %m", result->broken_where);
        if (result->stuck) {
                log_error("The processes of a job do not die.");
                health_condemn(agent->health);
        }
        if (link) {
                _cleanup_text_ Text json = {};
                int r = task_reply(task, result, &json);
                link->task = NULL;
                answer(link->channel, &json, r);
        }
}

static void link_close(Link *link);

/* Where a host could give a secret, nobody passes without it, even before. */
static bool proof_is_needed(const Agent *agent) {
        if (agent->settings->vsock_proof_named)
                return agent->settings->vsock_proof;
        for (const Link *l = agent->links; l; l = l->next)
                if (l->port)
                        return true;
        return door_has_secret(agent->door);
}

/* From now on whoever comes over vsock has to know it, and who is there already has not said it. */
static void take_secret(Agent *agent, const uint8_t secret[static SECRET_SIZE]) {
        door_set_secret(agent->door, secret);
        for (Link *l = agent->links, *next; l; l = next) {
                next = l->next;
                if (l->doubted)
                        link_close(l);
        }
}

static void on_request(Channel *channel, const char *json, size_t size, void *userdata) {
        Link *link = userdata;
        Agent *agent = link->agent;
        _cleanup_text_ Text error = {};
        _cleanup_free_ char *id = NULL;
        Task *task;

        if (!json) {
                answer_text(channel, "Request is too long.", NULL);
                return;
        }
        int r = task_new(json, size, &agent->settings->limits, &task, &id, &error);
        if (r < 0) {
                answer_text(
                        channel, r == -EBADMSG ? text_string(&error) : "The guest is out of memory.", id);
                return;
        }
        if (task->request.have_secret && link->port)
                take_secret(agent, task->request.secret);
        agent->host_is_ours = task->request.present;
        if (!link->doubted)
                vitals_apply(&agent->vitals, &task->request, runner_busy_usec(agent->runner));
        task->client = link;
        task->lanes = link->port;
        link->task = task;
        runner_add(agent->runner, task);
}

/* Nobody waits for the answer: what has not begun does not, what runs is ended. */
static void on_abandoned(_unused_ Channel *channel, void *userdata) {
        Link *link = userdata;

        if (link->task)
                runner_abandon(link->agent->runner, TAKE_PTR(link->task));
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
                if (l->token > 0 || l->lane || !l->channel || channel_busy(l->channel))
                        continue;
                if (!oldest || channel_last_used(l->channel) < channel_last_used(oldest->channel))
                        oldest = l;
        }
        if (!oldest)
                return -EBUSY;
        link_close(oldest);
        return 0;
}

static Channel *on_lane(Lanes *lanes, unsigned lane, void *userdata);

static const ChannelHandlers channel_handlers = {
        .request = on_request,
        .abandoned = on_abandoned,
        .lane = on_lane,
        .closed = on_channel_closed,
};

static int link_open(Link *link, EndpointRole role, int fd, StreamKind kind, const char *name) {
        static const HeartHandlers heart_handlers = { .healthy = on_healthy, .closed = on_heart_closed };
        sd_event *event = link->agent->jobs.event;

        if (role != ENDPOINT_HEART)
                return channel_new(event, fd, kind, name, &channel_handlers, link, &link->channel);
        return heart_new(event, fd, kind, &heart_handlers, link, &link->heart);
}

static Link *link_new(Agent *agent, const Link *like) {
        Link *link = calloc(1, sizeof(Link));
        if (!link)
                return NULL;
        *link = *like;
        link->agent = agent;
        link->next = agent->links;
        agent->links = link;
        agent->n_links++;
        return link;
}

/* The host has them to itself, so there is no need to bound them but by their numbers. */
static Channel *on_lane(Lanes *lanes, unsigned lane, void *userdata) {
        const Link *parent = userdata;
        Link *link = link_new(parent->agent, &(Link){ .port = true, .lane = true });

        if (link && channel_new_lane(parent->agent->jobs.event, lanes, lane, channel_name(parent->channel),
                            &channel_handlers, link, &link->channel) >= 0)
                return link->channel;
        log_oom();
        if (link)
                link_free(link);
        return NULL;
}

static int link_add(
        Agent *agent, const Link *like, EndpointRole role, int fd, StreamKind kind, const char *name) {
        _cleanup_close_ int owned = fd;

        int r = links_make_room(agent);
        if (r < 0)
                return r;
        Link *link = link_new(agent, like);
        if (!link)
                return -ENOMEM;
        r = link_open(link, role, TAKE_FD(owned), kind, name);
        if (r < 0)
                link_free(link);
        return r;
}

static int on_opened(
        EndpointRole role, int fd, StreamKind kind, const char *name, unsigned token, void *userdata) {
        Agent *agent = userdata;

        if (role == ENDPOINT_VSOCK && proof_is_needed(agent)) {
                door_admit(agent->door, fd);
                return 0;
        }
        /* Where the operator says that no proof is needed, whoever comes is the host. */
        const Link like = {
                .token = token,
                .port = kind == STREAM_PORT && role == ENDPOINT_DATA,
                .doubted = role == ENDPOINT_VSOCK && !agent->settings->vsock_proof_named,
        };
        return link_add(agent, &like, role, fd, kind, name);
}

/* A connection has proven to be the host's. */
static void on_passed(int fd, void *userdata) {
        int r = link_add(userdata, &(Link){}, ENDPOINT_VSOCK, fd, STREAM_SOCKET, "vsock");

        if (r < 0)
                log_warning_errno(r, "A connection of the host could not be taken: %m");
}

/* Tells systemd; its watchdog hears of the agent only while it is able to do its work, for a new start may
 * mend it. */
static void status_notify(const Agent *agent) {
        bool good = health_good(agent->health);

        (void)sd_notifyf(false, "%sSTATUS=%s; %u of %u jobs running, %" PRIu64 " served.",
                good ? "WATCHDOG=1\n" : "", good ? "Able to run jobs" : "Not able to run jobs",
                runner_running(agent->runner), agent->settings->slots, agent->served);
}

/* Also while the guest is sick, which is when they are wanted. */
static void on_journal(const char *line, void *userdata) {
        Agent *agent = userdata;

        for (Link *l = agent->links; agent->host_is_ours && l; l = l->next)
                if (l->heart)
                        heart_tell(l->heart, line);
}

static int on_beat(sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        Agent *agent = userdata;

        if (health_good(agent->health)) {
                agent->beats++;
                for (Link *l = agent->links; l; l = l->next)
                        if (l->heart)
                                heart_beat(l->heart, agent->beats);
        }
        journal_tick(agent->journal);
        if (agent->ticks++ % NOTIFY_TICKS == 0)
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
        agent->jobs.user_numbers = (JobUser){ user->pw_uid, user->pw_gid };
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
                return log_error_errno(r, "Failed to set up the cgroups of jobs%s: %m",
                        r == -EROFS ? " (ReadWritePaths= of the unit must name its own cgroup)" : "");
        if (!cgroups_have(agent->jobs.cgroups, CGROUP_MEMORY) ||
                !cgroups_have(agent->jobs.cgroups, CGROUP_PIDS))
                log_warning("No cgroup controller for memory or processes here: jobs are limited less "
                            "strictly.");
        r = cgroups_limit_memory(agent->jobs.cgroups, limits_all_memory(limits_total_memory()));
        if (r < 0)
                return log_error_errno(r, "Failed to limit the memory of all jobs: %m");
        r = seccomp_filter_make(&agent->jobs.filter);
        if (r < 0)
                return log_error_errno(r, "Failed to make the system call filter: %m");
        r = namespace_store_new(agent->jobs.event, agent->jobs.user_numbers, &agent->jobs.namespaces);
        if (r < 0)
                return log_error_errno(r, "Failed to make namespaces for jobs: %m");
        agent->jobs.write_rules = write_rules_available();
        r = archive_find(agent);
        if (r < 0)
                return log_error_errno(r, "Failed to find pbotvm-archive: %m");
        agent->jobs.archive_program = agent->archive_program;
        agent->jobs.storage_max = agent->settings->storage_bytes;
        agent->jobs.slots = agent->settings->slots;
        return 0;
}

static int runner_prepare(Agent *agent) {
        const Settings *settings = agent->settings;

        /* Without it the guest still answers, as one that keeps nothing. */
        if (settings->storage && disk_new(&agent->jobs, settings->storage, &agent->disk) < 0)
                log_warning("Nothing is kept for PBot's host.");
        int r = runner_new(&agent->jobs, settings->slots, agent->disk, on_task_done, agent, &agent->runner);
        return r < 0 ? log_oom() : 0;
}

/* A domain may hand it over as a credential. One that cannot be read lets nobody pass for the host. */
static int secret_load(Agent *agent) {
        const char *directory = getenv("CREDENTIALS_DIRECTORY");
        uint8_t secret[SECRET_SIZE];
        char path[PATH_MAX];

        if (isempty(directory))
                return 0;
        (void)snprintf(path, sizeof(path), "%s/pbotvm.secret", directory);
        int r = secret_read(path, secret);
        if (r == -ENOENT)
                return 0;
        if (r == -EBADMSG)
                return log_error_errno(r, "The credential pbotvm.secret: expected 64 hexadecimal digits.");
        if (r < 0)
                return log_error_errno(r, "Failed to read the credential pbotvm.secret: %m");
        door_set_secret(agent->door, secret);
        explicit_bzero(secret, sizeof(secret));
        return 0;
}

static int serving_start(Agent *agent) {
        int r = health_new(&agent->jobs, on_health, agent, &agent->health);
        if (r < 0)
                return log_error_errno(r, "Failed to start the self-check: %m");
        r = door_new(agent->jobs.event, on_passed, agent, &agent->door);
        if (r < 0)
                return log_oom();
        r = secret_load(agent);
        if (r < 0)
                return r;
        r = endpoints_new(agent->jobs.event, agent->settings, on_opened, agent, &agent->endpoints);
        if (r == -ENODEV)
                return log_error_errno(r, "Neither a device nor a socket to serve is configured.");
        if (r < 0)
                return log_error_errno(r, "Failed to open the devices: %m");
        r = journal_new(agent->jobs.event, NULL, on_journal, agent, &agent->journal);
        if (r < 0)
                return log_oom();
        r = sd_event_add_time_relative(agent->jobs.event, &agent->beat, CLOCK_MONOTONIC, BEAT_USEC,
                20 * USEC_PER_MSEC, on_beat, agent);
        return r < 0 ? log_error_errno(r, "Failed to start the heartbeat: %m") : 0;
}

int agent_new(sd_event *event, const Settings *settings, Agent **ret) {
        _cleanup_(agent_freep) Agent *agent = calloc(1, sizeof(Agent));
        if (!agent)
                return log_oom();

        agent->settings = settings;
        agent->jobs.event = sd_event_ref(event);
        int r = jobs_prepare(agent);
        if (r >= 0)
                r = runner_prepare(agent);
        if (r >= 0)
                r = serving_start(agent);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(agent);
        return 0;
}

Agent *agent_free(Agent *agent) {
        if (!agent)
                return NULL;
        sd_event_source_disable_unref(agent->beat);
        journal_free(agent->journal);
        endpoints_free(agent->endpoints);
        door_free(agent->door);
        while (agent->links)
                link_free(agent->links);
        runner_free(agent->runner);
        disk_free(agent->disk);
        health_free(agent->health);
        namespace_store_free(agent->jobs.namespaces);
        seccomp_filter_done(&agent->jobs.filter);
        cgroups_free(agent->jobs.cgroups);
        free(agent->archive_program);
        sd_event_unref(agent->jobs.event);
        free(agent);
        return NULL;
}
