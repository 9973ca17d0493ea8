/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/libvirt/hypervisor.h"

#include <pthread.h>
#include <stdio.h>
#include <libvirt/virterror.h>

#include "common/log.h"
#include "common/utf8.h"
#include "config/uri.h"
#include "reach/refusal.h"

/* libvirt's own macro of that name is a cast that clang's -Wcast-function-type-strict refuses; by way of
 * void (*)(void), the type that stands for any function, it is taken. */
#define DOMAIN_EVENT_CALLBACK(callback) ((virConnectDomainEventGenericCallback)(void (*)(void))(callback))

struct Hypervisor {
        sd_event *event;
        LibvirtThread *thread;
        Workers *workers;
        char *uri;
        Subscription *subscriptions;
        bool connected;
        bool connecting; /* a task is on its way */
        bool complained; /* about libvirt's being away */
        char trouble[300];
        bool retired;
        void (*gone)(Hypervisor *hypervisor, void *userdata);
        void *gone_userdata;
        sd_event_source *retry;
        uint64_t retry_usec; /* the next pause */

        pthread_mutex_t lock; /* over the connection, which workers share */
        virConnectPtr connection;
        int callbacks[2]; /* of the connection, for whoever closes it; -1: none */
};

/* What libvirt's thread has to tell the loop. */
typedef struct Note {
        Completion completion;
        Hypervisor *hypervisor;
        virConnectPtr connection; /* only to be compared; NULL: an event of a domain */
        char *domain;
        int event; /* NOTE_REBOOT, or libvirt's */
        int detail;
} Note;

#define NOTE_REBOOT -1

typedef struct ConnectTask {
        WorkerTask task;
        Hypervisor *hypervisor;
        bool connected;
        char message[300];
} ConnectTask;

static void connect_soon(Hypervisor *hypervisor);

LibvirtThread *hypervisor_thread(const Hypervisor *hypervisor) {
        return hypervisor->thread;
}

const char *hypervisor_uri(const Hypervisor *hypervisor) {
        return hypervisor->uri;
}

bool hypervisor_is_used(const Hypervisor *hypervisor) {
        return hypervisor->subscriptions;
}

bool hypervisor_is_connected(const Hypervisor *hypervisor) {
        return hypervisor->connected;
}

const char *hypervisor_trouble(const Hypervisor *hypervisor) {
        return hypervisor->trouble;
}

Workers *hypervisor_workers(const Hypervisor *hypervisor) {
        return hypervisor->workers;
}

/* ---- subscriptions ---- */

void hypervisor_subscribe(Hypervisor *hypervisor, Subscription *subscription) {
        subscription->previous = NULL;
        subscription->next = hypervisor->subscriptions;
        if (subscription->next)
                subscription->next->previous = subscription;
        hypervisor->subscriptions = subscription;
}

void hypervisor_unsubscribe(Hypervisor *hypervisor, Subscription *subscription) {
        if (subscription->previous)
                subscription->previous->next = subscription->next;
        else
                hypervisor->subscriptions = subscription->next;
        if (subscription->next)
                subscription->next->previous = subscription->previous;
}

static void set_connected(Hypervisor *hypervisor, bool connected) {
        hypervisor->connected = connected;
        for (Subscription *s = hypervisor->subscriptions; s; s = s->next)
                s->connected(s, connected);
}

/* ---- libvirt's thread tells ---- */

static void tell(Subscription *subscription, const Note *note) {
        if (note->event == NOTE_REBOOT)
                subscription->rebooted(subscription);
        else
                subscription->event(subscription, note->event, note->detail);
}

static void note_arrived(Completion *completion, bool live) {
        Note *note = (Note *)completion; /* its first member */
        Hypervisor *h = note->hypervisor;

        if (live && note->connection) {
                pthread_mutex_lock(&h->lock);
                bool ours = h->connection == note->connection;
                pthread_mutex_unlock(&h->lock);
                if (ours)
                        hypervisor_broken(h);
        } else if (live)
                for (Subscription *s = h->subscriptions; s; s = s->next)
                        if (streq(s->domain, note->domain))
                                tell(s, note);
        free(note->domain);
        free(note);
}

static void post_note(
        Hypervisor *hypervisor, virConnectPtr connection, const char *domain, int event, int detail) {
        Note *note = calloc(1, sizeof(*note));
        char *name = domain ? strdup(domain) : NULL;

        /* Without memory the note is lost; the regular looks find out what it was about. */
        if (!note || (domain && !name)) {
                free(note);
                free(name);
                return;
        }
        *note = (Note){ { .call = note_arrived }, hypervisor, connection, name, event, detail };
        libvirt_thread_post(hypervisor->thread, &note->completion);
}

static int on_event(
        virConnectPtr connection _unused_, virDomainPtr domain, int event, int detail, void *userdata) {
        post_note(userdata, NULL, virDomainGetName(domain), event, detail);
        return 0;
}

static void on_reboot(virConnectPtr connection _unused_, virDomainPtr domain, void *userdata) {
        post_note(userdata, NULL, virDomainGetName(domain), NOTE_REBOOT, 0);
}

static void on_closed(virConnectPtr connection, int reason _unused_, void *userdata) {
        post_note(userdata, connection, NULL, 0, 0);
}

/* ---- connecting, on a worker ---- */

/* A callback that stays registered holds the connection. */
static void close_connection(const Hypervisor *hypervisor, virConnectPtr connection) {
        if (!connection)
                return;
        (void)virConnectUnregisterCloseCallback(connection, on_closed);
        for (size_t i = 0; i < ELEMENTSOF(hypervisor->callbacks); i++)
                if (hypervisor->callbacks[i] >= 0)
                        (void)virConnectDomainEventDeregisterAny(connection, hypervisor->callbacks[i]);
        virConnectClose(connection);
}

static virConnectPtr open_connection(Hypervisor *hypervisor) {
        virConnectPtr connection = virConnectOpen(hypervisor->uri);
        if (!connection)
                return NULL;

        /* Drivers without a daemon (test:///) have neither; what matters is found out by calls. */
        (void)virConnectSetKeepAlive(connection, HYPERVISOR_KEEPALIVE_SEC, HYPERVISOR_KEEPALIVE_COUNT);
        (void)virConnectRegisterCloseCallback(connection, on_closed, hypervisor, NULL);
        hypervisor->callbacks[0] = virConnectDomainEventRegisterAny(connection, NULL,
                VIR_DOMAIN_EVENT_ID_REBOOT, DOMAIN_EVENT_CALLBACK(on_reboot), hypervisor, NULL);
        hypervisor->callbacks[1] = virConnectDomainEventRegisterAny(connection, NULL,
                VIR_DOMAIN_EVENT_ID_LIFECYCLE, DOMAIN_EVENT_CALLBACK(on_event), hypervisor, NULL);
        if (hypervisor->callbacks[1] < 0) {
                close_connection(hypervisor, connection);
                return NULL;
        }
        return connection;
}

static virConnectPtr swap_connection(Hypervisor *hypervisor, virConnectPtr connection) {
        pthread_mutex_lock(&hypervisor->lock);
        virConnectPtr old = hypervisor->connection;
        hypervisor->connection = connection;
        pthread_mutex_unlock(&hypervisor->lock);
        return old;
}

/* What has to be mended comes before libvirt's own words. */
static void tell_trouble(ConnectTask *t) {
        _cleanup_text_ Text text = {}, mend = {};

        if (refusal_tell(virGetLastError(), t->hypervisor->uri, &text, &mend))
                text_append_string(&text, ": ");
        text_append_string(&text, virGetLastErrorMessage());
        utf8_copy_line(t->message, sizeof(t->message), text_string(&text));
}

static void run_connect(WorkerTask *task) {
        ConnectTask *t = (ConnectTask *)task; /* its first member */

        close_connection(t->hypervisor, swap_connection(t->hypervisor, NULL));
        virConnectPtr connection = open_connection(t->hypervisor);
        t->connected = connection;
        if (connection)
                (void)swap_connection(t->hypervisor, connection);
        else
                tell_trouble(t);
}

static void connect_done(WorkerTask *task, bool live) {
        ConnectTask *t = (ConnectTask *)task;
        Hypervisor *h = t->hypervisor;

        if (live) {
                h->connecting = false;
                /* Of this host's own, that it is away says all. */
                snprintf(h->trouble, sizeof(h->trouble), "%s",
                        machine_uri_is_local(h->uri) ? "" : t->message);
                if (t->connected) {
                        log_info("Connected to libvirt at %s.", h->uri);
                        h->complained = false;
                        h->retry_usec = HYPERVISOR_RETRY_USEC;
                } else if (!h->complained) {
                        log_warning("libvirt at %s cannot be reached, trying on: %s", h->uri, t->message);
                        h->complained = true;
                }
                set_connected(h, t->connected);
                if (!t->connected)
                        connect_soon(h);
        }
        free(t);
}

static int on_retry(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Hypervisor *hypervisor = userdata;
        ConnectTask *t = calloc(1, sizeof(*t));

        if (!t) {
                connect_soon(hypervisor);
                return 0;
        }
        *t = (ConnectTask){
                .task = { .run = run_connect,
                        .done = connect_done,
                        .slow = true,
                        .limit_usec = USEC_INFINITY },
                .hypervisor = hypervisor,
        };
        hypervisor->connecting = true;
        workers_submit(hypervisor->workers, &t->task);
        return 0;
}

static void connect_soon(Hypervisor *hypervisor) {
        if (hypervisor->retired)
                return;
        (void)sd_event_source_set_time_relative(hypervisor->retry, hypervisor->retry_usec);
        hypervisor->retry_usec = MIN(2 * hypervisor->retry_usec, HYPERVISOR_RETRY_MAX_USEC);
        (void)sd_event_source_set_enabled(hypervisor->retry, SD_EVENT_ONESHOT);
}

void hypervisor_broken(Hypervisor *hypervisor) {
        if (!hypervisor->connected || hypervisor->connecting || hypervisor->retired)
                return;
        log_warning("The connection to libvirt at %s is lost.", hypervisor->uri);
        set_connected(hypervisor, false);
        /* Not at once: libvirtd is socket activated, and whoever stops it together with its sockets would
         * find it started again in between, by us. */
        connect_soon(hypervisor);
}

virConnectPtr hypervisor_connection(Hypervisor *hypervisor) {
        pthread_mutex_lock(&hypervisor->lock);
        virConnectPtr connection = hypervisor->connection;
        if (connection)
                (void)virConnectRef(connection);
        pthread_mutex_unlock(&hypervisor->lock);
        return connection;
}

/* ---- beginning and end ---- */

int hypervisor_new(sd_event *event, LibvirtThread *thread, const char *uri, Hypervisor **ret) {
        _cleanup_(hypervisor_freep) Hypervisor *hypervisor = calloc(1, sizeof(*hypervisor));
        if (!hypervisor)
                return -ENOMEM;
        hypervisor->event = sd_event_ref(event);
        hypervisor->thread = thread;
        hypervisor->retry_usec = HYPERVISOR_RETRY_USEC;
        hypervisor->callbacks[0] = hypervisor->callbacks[1] = -1;
        pthread_mutex_init(&hypervisor->lock, NULL);
        hypervisor->uri = strdup(uri);
        if (!hypervisor->uri)
                return -ENOMEM;

        int r = workers_new(thread, &hypervisor->workers);
        if (r >= 0)
                r = sd_event_add_time_relative(
                        event, &hypervisor->retry, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_retry, hypervisor);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(hypervisor);
        return 0;
}

/* The end of a connection that is given up. */
typedef struct FarewellTask {
        WorkerTask task;
        Hypervisor *hypervisor;
} FarewellTask;

static void run_farewell(WorkerTask *task) {
        Hypervisor *h = ((FarewellTask *)task)->hypervisor; /* its first member */

        close_connection(h, swap_connection(h, NULL));
}

static void farewell_gone(WorkerTask *task, bool live) {
        Hypervisor *h = ((FarewellTask *)task)->hypervisor;

        free(task);
        if (live)
                h->gone(h, h->gone_userdata);
}

/* What libvirt's thread had to tell of the connection until it was closed comes before what it posts now. */
static void farewell_done(WorkerTask *task, bool live) {
        const FarewellTask *t = (FarewellTask *)task;

        task->done = farewell_gone;
        if (!live || libvirt_thread_bounce(t->hypervisor->thread, &task->completion) < 0)
                free(task);
}

void hypervisor_retire(
        Hypervisor *hypervisor, void (*gone)(Hypervisor *hypervisor, void *userdata), void *userdata) {
        FarewellTask *t = calloc(1, sizeof(*t));

        hypervisor->retired = true;
        hypervisor->gone = gone;
        hypervisor->gone_userdata = userdata;
        (void)sd_event_source_set_enabled(hypervisor->retry, SD_EVENT_OFF);
        log_info("The connection to libvirt at %s is not needed any more.", hypervisor->uri);
        /* Without memory it stays until the end. */
        if (!t)
                return;
        *t = (FarewellTask){
                .task = { .run = run_farewell, .done = farewell_done, .limit_usec = USEC_INFINITY },
                .hypervisor = hypervisor,
        };
        workers_finish(hypervisor->workers, &t->task);
}

Hypervisor *hypervisor_free(Hypervisor *hypervisor) {
        if (!hypervisor)
                return NULL;
        hypervisor->retry = sd_event_source_disable_unref(hypervisor->retry);
        /* A thread that hangs in a call still uses it. */
        if (hypervisor->workers && !workers_end(hypervisor->workers))
                return NULL;
        workers_free(hypervisor->workers);
        virConnectPtr connection = swap_connection(hypervisor, NULL);
        /* Saying goodbye to a daemon that does not answer would take for ever. */
        if (connection && hypervisor->connected) {
                (void)virConnectUnregisterCloseCallback(connection, on_closed);
                virConnectClose(connection);
        }
        pthread_mutex_destroy(&hypervisor->lock);
        sd_event_unref(hypervisor->event);
        free(hypervisor->uri);
        free(hypervisor);
        return NULL;
}
