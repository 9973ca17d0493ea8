/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/libvirt/domain.h"

#include <stdio.h>

#include <libvirt/virterror.h>

#include "common/io.h"
#include "common/utf8.h"
#include "config/machine-config.h"
#include "passport/libvirt.h"
#include "watchdog/libvirt/domain-xml.h"
#include "watchdog/libvirt/snapshot.h"
#include "watchdog/libvirt/stream.h"

#define MESSAGE_SIZE 200

typedef struct DomainTask DomainTask;

typedef struct Domain {
        Backend backend;
        Subscription subscription;
        Hypervisor *hypervisor;
        Streams *streams;
        char *name;
        char *snapshot;
        BackendHooks hooks;
        uint64_t epoch; /* of looks: one of an older epoch does not count */
        bool reverting; /* what would be seen now is the revert itself */
        bool looking;
        bool look_again;
        bool snapshot_seen; /* the one in force, since it may have changed */
        bool host_known;    /* since libvirt was connected to */
        Passport host;
        DomainTask *tasks; /* on their way */
} Domain;

/* One call of libvirt's, or a few. Everything that a worker needs is in it, since the domain may go
 * meanwhile. */
struct DomainTask {
        WorkerTask task;
        Domain *domain; /* NULL: nobody wants to know any more */
        Hypervisor *hypervisor;
        char *name;
        SnapshotNames snapshots;
        SnapshotChoice choice;
        bool needless; /* there was nothing to be done */
        bool sees_snapshot;
        bool knows_host;
        Passport host;
        uint64_t epoch;
        int error; /* 0, -ENOTCONN, -ENXIO (no such domain), -ENOENT (no such snapshot), -EIO */
        char message[MESSAGE_SIZE]; /* libvirt's, which may have several lines, as one */
        BackendLook look;
        DomainTask *previous, *next;
};

/* ---- on a worker ---- */

static int failed(DomainTask *t, virConnectPtr connection) {
        const virError *e = virGetLastError();

        utf8_copy_line(t->message, sizeof(t->message), virGetLastErrorMessage());
        if (e && e->code == VIR_ERR_NO_DOMAIN)
                return -ENXIO;
        if (e && e->code == VIR_ERR_NO_DOMAIN_SNAPSHOT)
                return -ENOENT;
        return virConnectIsAlive(connection) == 1 ? -EIO : -ENOTCONN;
}

/* What a pause means follows from its reason: one that libvirt ends by itself is none. */
static RunFact paused_run(int reason) {
        switch (reason) {
        case VIR_DOMAIN_PAUSED_SNAPSHOT:
        case VIR_DOMAIN_PAUSED_SAVE:
        case VIR_DOMAIN_PAUSED_DUMP:
        case VIR_DOMAIN_PAUSED_MIGRATION:
        case VIR_DOMAIN_PAUSED_STARTING_UP:
                return RUN_SAVING;
        case VIR_DOMAIN_PAUSED_CRASHED:
                return RUN_CRASHED;
        default:
                return RUN_PAUSED;
        }
}

static RunFact state_run(int state, int reason) {
        switch (state) {
        case VIR_DOMAIN_RUNNING:
        case VIR_DOMAIN_BLOCKED:
                return RUN_RUNNING;
        case VIR_DOMAIN_PAUSED:
                return paused_run(reason);
        case VIR_DOMAIN_PMSUSPENDED:
                return RUN_PAUSED;
        case VIR_DOMAIN_CRASHED:
                return RUN_CRASHED;
        default:
                return RUN_OFF;
        }
}

/* What to do with a domain that is there. 0 or, after failed(), a negative errno. */
typedef int (*DomainVerb)(DomainTask *t, virConnectPtr connection, virDomainPtr domain);

static void with_domain(DomainTask *t, DomainVerb verb) {
        virConnectPtr connection = hypervisor_connection(t->hypervisor);
        if (!connection) {
                snprintf(t->message, sizeof(t->message), "libvirt is away");
                t->error = -ENOTCONN;
                return;
        }

        virDomainPtr domain = virDomainLookupByName(connection, t->name);
        t->error = domain ? verb(t, connection, domain) : failed(t, connection);
        if (domain)
                virDomainFree(domain);
        virConnectClose(connection);
}

/* What cannot be read is as if nobody had told. */
static void look_at_lines(DomainTask *t, virDomainPtr domain) {
        _cleanup_free_ char *xml = virDomainGetXMLDesc(domain, 0);

        if (xml)
                (void)domain_xml_lines(xml, &t->look.lines);
}

static void show_passport(const Passport *passport, char *to, size_t size) {
        _cleanup_text_ Text text = {};

        passport_show(passport, &text);
        (void)snprintf(to, size, "%s", text_string(&text));
}

static void look_at_snapshot(DomainTask *t, virConnectPtr connection, virDomainSnapshotPtr snapshot) {
        _cleanup_free_ char *xml = snapshot ? virDomainSnapshotGetXMLDesc(snapshot, 0) : NULL;
        BackendLook *look = &t->look;
        Passport passport;

        if (snapshot && !xml)
                return;
        look->snapshot_seen = true;
        if (!xml)
                return;
        look->snapshot_usec = passport_snapshot_time(xml);
        if (!passport_of_snapshot(xml, &passport))
                return;
        if (!t->knows_host)
                passport_now(connection, &t->host);
        t->knows_host = true;
        show_passport(&passport, look->snapshot_made_by, sizeof(look->snapshot_made_by));
        show_passport(&t->host, look->made_now_by, sizeof(look->made_now_by));
        look->snapshot_stale = passport_differs(&passport, &t->host);
}

static int look(DomainTask *t, virConnectPtr connection, virDomainPtr domain) {
        virDomainInfo info = {};
        int state = 0, reason = 0;

        if (virDomainGetState(domain, &state, &reason, 0) < 0 || virDomainGetInfo(domain, &info) < 0)
                return failed(t, connection);
        unsigned id = virDomainGetID(domain);
        t->look.run = state_run(state, reason);
        t->look.passing = state == VIR_DOMAIN_SHUTOFF && reason == VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT;
        t->look.id = id == (unsigned)-1 ? -1 : (int)id;
        t->look.cpu_usec = info.cpuTime / NSEC_PER_USEC;
        t->look.memory_bytes = (uint64_t)info.memory << 10;

        look_at_lines(t, domain);

        virDomainSnapshotPtr snapshot = snapshot_find(domain, &t->snapshots, SNAPSHOT_IN_FORCE);
        int r = snapshot ? 0 : failed(t, connection);
        if (r < 0 && r != -ENOENT)
                return r;
        t->look.way = snapshot ? WAY_OPEN : WAY_NO_SNAPSHOT;
        if (t->sees_snapshot)
                look_at_snapshot(t, connection, snapshot);
        if (snapshot)
                virDomainSnapshotFree(snapshot);
        return 0;
}

static void run_look(WorkerTask *task) {
        DomainTask *t = (DomainTask *)task; /* its first member */

        with_domain(t, look);
        t->look.taken_usec = now_monotonic();
        if (t->error == -ENXIO) {
                t->look.run = RUN_MISSING;
                t->look.way = WAY_NO_MACHINE;
                t->look.id = -1;
        } else if (t->error < 0) {
                t->look.run = RUN_UNKNOWN;
                t->look.way = t->error == -ENOTCONN ? WAY_AWAY : WAY_REFUSED;
                t->look.id = -1;
                t->look.message = t->message;
        }
}

static int revert(DomainTask *t, virConnectPtr connection, virDomainPtr domain) {
        virDomainSnapshotPtr snapshot = snapshot_find(domain, &t->snapshots, t->choice);
        if (!snapshot)
                return failed(t, connection);

        int r = virDomainRevertToSnapshot(snapshot, VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING);
        const virError *e = virGetLastError();
        /* What libvirt thinks risky is what is wanted: the domain becomes what it was. */
        if (r < 0 && e && e->code == VIR_ERR_SNAPSHOT_REVERT_RISKY)
                r = virDomainRevertToSnapshot(
                        snapshot, VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING | VIR_DOMAIN_SNAPSHOT_REVERT_FORCE);
        if (r < 0)
                r = failed(t, connection);
        virDomainSnapshotFree(snapshot);
        return r;
}

/* Without what it may have been saved as: that is as old as its snapshot. */
static int boot(DomainTask *t, virConnectPtr connection, virDomainPtr domain) {
        if (virDomainIsActive(domain) == 1 && virDomainDestroy(domain) < 0 && virDomainIsActive(domain) == 1)
                return failed(t, connection);
        if (virDomainHasManagedSaveImage(domain, 0) == 1 && virDomainManagedSaveRemove(domain, 0) < 0)
                return failed(t, connection);
        return virDomainCreate(domain) < 0 ? failed(t, connection) : 0;
}

static void run_boot(WorkerTask *task) {
        with_domain((DomainTask *)task, boot);
}

static void run_revert(WorkerTask *task) {
        with_domain((DomainTask *)task, revert);
}

static int change_snapshots(DomainTask *t, virConnectPtr connection,
        int (*change)(virDomainPtr domain, const SnapshotNames *names, SnapshotChoice choice),
        virDomainPtr domain) {
        int r = change(domain, &t->snapshots, t->choice);

        t->needless = r > 0;
        return r < 0 ? failed(t, connection) : 0;
}

static int take(DomainTask *t, virConnectPtr connection, virDomainPtr domain) {
        return change_snapshots(t, connection, snapshot_take, domain);
}

static int drop(DomainTask *t, virConnectPtr connection, virDomainPtr domain) {
        return change_snapshots(t, connection, snapshot_drop, domain);
}

static void run_take(WorkerTask *task) {
        with_domain((DomainTask *)task, take);
}

static void run_drop(WorkerTask *task) {
        with_domain((DomainTask *)task, drop);
}

/* ---- on the loop ---- */

static void task_free(DomainTask *t) {
        if (t->domain) {
                if (t->previous)
                        t->previous->next = t->next;
                else
                        t->domain->tasks = t->next;
                if (t->next)
                        t->next->previous = t->previous;
        }
        free(t->name);
        snapshot_names_done(&t->snapshots);
        free(t);
}

static int submit(Domain *domain, WorkerTask task, SnapshotChoice choice) {
        DomainTask *t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->task = task;
        t->hypervisor = domain->hypervisor;
        t->name = strdup(domain->name);
        t->choice = choice;
        t->sees_snapshot = !domain->snapshot_seen;
        t->knows_host = domain->host_known;
        t->host = domain->host;
        t->epoch = domain->epoch;
        if (!t->name || snapshot_names_init(&t->snapshots, domain->snapshot) < 0) {
                task_free(t);
                return -ENOMEM;
        }

        t->domain = domain;
        t->next = domain->tasks;
        if (t->next)
                t->next->previous = t;
        domain->tasks = t;
        workers_submit(hypervisor_workers(domain->hypervisor), &t->task);
        return 0;
}

static void look_done(WorkerTask *task, bool live) {
        DomainTask *t = (DomainTask *)task;
        Domain *domain = t->domain;

        if (live && domain) {
                domain->looking = false;
                if (t->error == -ENOTCONN)
                        hypervisor_broken(domain->hypervisor);
                if (t->epoch == domain->epoch) {
                        domain->host_known = t->knows_host;
                        domain->host = t->host;
                        domain->snapshot_seen |= t->look.snapshot_usec > 0;
                        domain->hooks.looked(&t->look, domain->hooks.userdata);
                }
                if (domain->look_again)
                        domain_look(&domain->backend);
        }
        task_free(t);
}

void domain_look(Backend *backend) {
        Domain *domain = (Domain *)backend; /* its first member */

        /* It may have been on its way for a while already. */
        domain->look_again = domain->looking;
        if (domain->looking || domain->reverting || !hypervisor_is_connected(domain->hypervisor))
                return;
        domain->looking =
                submit(domain,
                        (WorkerTask){ .run = run_look, .done = look_done, .limit_usec = WORKERS_LIMIT_USEC },
                        SNAPSHOT_IN_FORCE) >= 0;
}

static void revert_done(WorkerTask *task, bool live) {
        DomainTask *t = (DomainTask *)task;
        Domain *domain = t->domain;

        if (live && domain) {
                ResetResult result = t->error >= 0      ? RESET_DONE
                                     : t->error == -EIO ? RESET_FAILED
                                                        : RESET_IMPOSSIBLE;
                domain->reverting = false;
                domain->snapshot_seen = false;
                if (t->error == -ENOTCONN)
                        hypervisor_broken(domain->hypervisor);
                domain->hooks.reverted(result, t->message, domain->hooks.userdata);
        }
        task_free(t);
}

static int submit_reset(Domain *domain, void (*reset)(WorkerTask *task), SnapshotChoice choice) {
        int r = submit(domain,
                (WorkerTask){
                        .run = reset, .done = revert_done, .slow = true, .limit_usec = WORKERS_LIMIT_USEC },
                choice);
        if (r < 0)
                return r;
        domain->epoch++;
        domain->reverting = true;
        return 0;
}

int domain_revert(Backend *backend, SnapshotChoice choice) {
        return submit_reset((Domain *)backend, run_revert, choice);
}

int domain_boot(Backend *backend) {
        return submit_reset((Domain *)backend, run_boot, SNAPSHOT_IN_FORCE);
}

static void snapshots_changed(WorkerTask *task, bool live) {
        DomainTask *t = (DomainTask *)task;

        if (live && t->domain) {
                t->domain->epoch++;
                t->domain->snapshot_seen = false;
                t->domain->hooks.snapshots_changed(
                        t->error < 0 ? t->error : t->needless, t->message, t->domain->hooks.userdata);
        }
        task_free(t);
}

static int submit_change(Backend *backend, void (*change)(WorkerTask *task), SnapshotChoice choice) {
        return submit((Domain *)backend,
                (WorkerTask){ .run = change,
                        .done = snapshots_changed,
                        .slow = true,
                        .limit_usec = DOMAIN_SNAPSHOT_USEC },
                choice);
}

int domain_take(Backend *backend, SnapshotChoice choice) {
        return submit_change(backend, run_take, choice);
}

int domain_drop(Backend *backend, SnapshotChoice choice) {
        return submit_change(backend, run_drop, choice);
}

static void on_connected(Subscription *subscription, bool connected) {
        Domain *domain = subscription->userdata;

        domain->snapshot_seen = domain->host_known = false;
        if (connected)
                domain_look(&domain->backend);
        else {
                BackendLook away = {
                        .run = RUN_UNKNOWN,
                        .way = WAY_AWAY,
                        .id = -1,
                        .taken_usec = now_monotonic(),
                        .message = hypervisor_trouble(domain->hypervisor),
                };
                domain->hooks.looked(&away, domain->hooks.userdata);
        }
}

static void on_event(Subscription *subscription, int event, int detail) {
        Domain *domain = subscription->userdata;

        if (event == VIR_DOMAIN_EVENT_CRASHED)
                domain->hooks.crashed(domain->hooks.userdata);
        /* The first half of somebody's revert, ours or not: the second half is told too. */
        if (event != VIR_DOMAIN_EVENT_STOPPED || detail != VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT)
                domain_look(&domain->backend);
}

static void on_rebooted(Subscription *subscription) {
        Domain *domain = subscription->userdata;

        domain->hooks.rebooted(domain->hooks.userdata);
}

int domain_new(const BackendVerbs *verbs, Hypervisor *hypervisor, const MachineConfig *config,
        const BackendHooks *hooks, Backend **ret) {
        Domain *domain = calloc(1, sizeof(*domain));
        if (!domain)
                return -ENOMEM;
        domain->backend.verbs = verbs;
        domain->hypervisor = hypervisor;
        domain->hooks = *hooks;
        domain->name = strdup(config->domain);
        domain->snapshot = strdup(config->snapshot);
        domain->subscription = (Subscription){
                .domain = domain->name,
                .connected = on_connected,
                .event = on_event,
                .rebooted = on_rebooted,
                .userdata = domain,
        };
        hypervisor_subscribe(hypervisor, &domain->subscription);
        if (!domain->name || !domain->snapshot ||
                streams_new(hypervisor, domain->name, &domain->streams) < 0) {
                domain_free(&domain->backend);
                return -ENOMEM;
        }
        domain->backend.opener = streams_opener(domain->streams);
        *ret = &domain->backend;
        return 0;
}

void domain_free(Backend *backend) {
        Domain *domain = (Domain *)backend;

        for (DomainTask *t = domain->tasks; t; t = t->next)
                t->domain = NULL;
        hypervisor_unsubscribe(domain->hypervisor, &domain->subscription);
        streams_free(domain->streams);
        free(domain->name);
        free(domain->snapshot);
        free(domain);
}
