/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/libvirt/stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include <libvirt/virterror.h>

#include "common/io.h"
#include "common/log.h"
#include "common/utf8.h"
#include "watchdog/libvirt/stream-pump.h"

/* TLS of libvirt's client is done on it; only what is touched takes memory. */
#define STACK_SIZE ((size_t)512 << 10)
/* Data and heartbeat. */
#define DOORS_MAX 2

/* One channel. */
typedef struct Door {
        char name[64];
        unsigned threads;   /* on their way */
        unsigned holding;   /* of them, those that have the channel */
        uint64_t lost_usec; /* when the last one lost its connection; 0: none did */
        bool complained;
} Door;

struct Streams {
        ChannelOpener opener;
        Hypervisor *hypervisor;
        LibvirtThread *thread;
        char *uri, *domain;
        pthread_mutex_t lock; /* over all below, which threads share */
        unsigned refs;        /* theirs, and its owner's */
        bool gone;            /* its owner's is given back: nobody is there to be told */
        Door doors[DOORS_MAX];
};

/* Belongs to the thread until it is posted, then to the loop. */
struct ChannelOpening {
        Completion completion;
        Streams *streams;
        Door *door;
        ChannelDone done; /* NULL: given up */
        void *userdata;
        int fd; /* or a negative errno */
        char message[200];
};

/* ---- shared ---- */

static void streams_unref(Streams *streams) {
        pthread_mutex_lock(&streams->lock);
        bool last = --streams->refs == 0;
        pthread_mutex_unlock(&streams->lock);
        if (!last)
                return;
        pthread_mutex_destroy(&streams->lock);
        free(streams->uri);
        free(streams->domain);
        free(streams);
}

/* ---- a stream's own thread ---- */

/* Whether an earlier one of ours has it, or had it until the link went. */
static bool may_force(Streams *streams, const Door *door) {
        pthread_mutex_lock(&streams->lock);
        bool may = door->holding > 0 ||
                   (door->lost_usec > 0 && now_monotonic() < usec_add(door->lost_usec, STREAM_FORCE_USEC));
        pthread_mutex_unlock(&streams->lock);
        return may;
}

static void hold(Streams *streams, Door *door, bool holds) {
        pthread_mutex_lock(&streams->lock);
        if (holds)
                door->holding++;
        else
                door->holding--;
        pthread_mutex_unlock(&streams->lock);
}

/* libvirt's last error, of which nothing is left once something was freed. */
static int keep_error(ChannelOpening *opening) {
        const virError *e = virGetLastError();

        utf8_copy_line(opening->message, sizeof(opening->message), virGetLastErrorMessage());
        if (e && e->code == VIR_ERR_OPERATION_FAILED)
                return -EBUSY;
        return e && e->code == VIR_ERR_NO_DOMAIN ? -ENXIO : -ECONNREFUSED;
}

/* 0, or a negative errno that was kept. */
static int open_stream(ChannelOpening *opening, virConnectPtr connection, virStreamPtr *ret) {
        const unsigned flags = may_force(opening->streams, opening->door) ? VIR_DOMAIN_CHANNEL_FORCE : 0;
        virDomainPtr domain = virDomainLookupByName(connection, opening->streams->domain);
        virStreamPtr stream = domain ? virStreamNew(connection, VIR_STREAM_NONBLOCK) : NULL;
        int r = 0;

        if (!stream || virDomainOpenChannel(domain, opening->door->name, stream, flags) < 0)
                r = keep_error(opening);
        if (domain)
                virDomainFree(domain);
        if (r >= 0)
                *ret = stream;
        else if (stream)
                virStreamFree(stream);
        return r;
}

/* Its user is told, and owns its end; or nobody is there any more. */
static void post(ChannelOpening *opening, int fd) {
        Streams *streams = opening->streams;

        opening->fd = fd;
        pthread_mutex_lock(&streams->lock);
        bool gone = streams->gone;
        if (!gone)
                libvirt_thread_post(streams->thread, &opening->completion);
        pthread_mutex_unlock(&streams->lock);
        if (gone) {
                fd_close(fd);
                free(opening);
        }
}

/* Over a connection that is open; true if that was lost. */
static bool run_stream(ChannelOpening *opening, virConnectPtr connection) {
        Streams *streams = opening->streams;
        Door *door = opening->door;
        virStreamPtr stream = NULL;
        StreamPump *pump = NULL;
        int fd = -EBADF;

        int r = open_stream(opening, connection, &stream);
        if (r < 0) {
                post(opening, r);
                return false;
        }
        hold(streams, door, true);
        r = stream_pump_new(connection, stream, &pump, &fd);
        if (r < 0) {
                utf8_copy_line(opening->message, sizeof(opening->message), strerror(-r));
                post(opening, r);
        } else {
                post(opening, fd);
                stream_pump_run(pump);
        }
        bool lost = virConnectIsAlive(connection) != 1;
        stream_pump_free(pump);
        /* Where the connection is lost there is nobody to say it to. */
        if (!lost)
                (void)virStreamAbort(stream);
        virStreamFree(stream);
        hold(streams, door, false);
        return lost;
}

static void *run(void *userdata) {
        ChannelOpening *opening = userdata;
        Streams *streams = opening->streams;
        Door *door = opening->door;
        bool lost = false;

        virConnectPtr connection = virConnectOpen(streams->uri);
        if (connection) {
                (void)virConnectSetKeepAlive(connection, STREAM_KEEPALIVE_SEC, STREAM_KEEPALIVE_COUNT);
                lost = run_stream(opening, connection);
                virConnectClose(connection);
        } else
                post(opening, keep_error(opening));

        pthread_mutex_lock(&streams->lock);
        door->threads--;
        door->lost_usec = lost ? now_monotonic() : door->lost_usec;
        pthread_mutex_unlock(&streams->lock);
        streams_unref(streams);
        return NULL;
}

/* ---- on the loop ---- */

/* Once for each time that it does not work. */
static void tell(const ChannelOpening *opening) {
        Door *door = opening->door;
        bool failed = opening->fd < 0;

        if (failed && !door->complained)
                log_warning("Channel %s of domain %s at %s cannot be opened, trying on: %s%s", door->name,
                        opening->streams->domain, opening->streams->uri,
                        opening->fd == -EBUSY ? "somebody else has it: " : "", opening->message);
        door->complained = failed;
}

static void opened(Completion *completion, bool live) {
        ChannelOpening *opening = (ChannelOpening *)completion; /* its first member */

        if (live && opening->done) {
                tell(opening);
                opening->done(opening->fd, opening->userdata);
        } else
                fd_close(opening->fd);
        free(opening);
}

static void opener_give_up(ChannelOpening *opening) {
        opening->done = NULL;
}

static Door *find_door(Streams *streams, const char *channel) {
        for (size_t i = 0; i < DOORS_MAX; i++) {
                Door *door = &streams->doors[i];
                if (!*door->name && strlen(channel) < sizeof(door->name))
                        strcpy(door->name, channel);
                if (streq(door->name, channel))
                        return door;
        }
        return NULL;
}

static int begin_thread(ChannelOpening *opening) {
        pthread_attr_t attributes;
        pthread_t thread;

        pthread_attr_init(&attributes);
        (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
        (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        int r = -pthread_create(&thread, &attributes, run, opening);
        pthread_attr_destroy(&attributes);
        return r;
}

static int opener_open(
        ChannelOpener *opener, const char *channel, ChannelDone done, void *userdata, ChannelOpening **ret) {
        Streams *streams = (Streams *)opener; /* its first member */
        Door *door = find_door(streams, channel);

        if (!door)
                return -ENOENT;
        /* Where libvirt is away each try would wait for it. */
        if (!hypervisor_is_connected(streams->hypervisor))
                return -ENOTCONN;
        ChannelOpening *opening = malloc(sizeof(*opening));
        if (!opening)
                return -ENOMEM;
        *opening = (ChannelOpening){ .completion.call = opened,
                .streams = streams,
                .door = door,
                .done = done,
                .userdata = userdata };

        pthread_mutex_lock(&streams->lock);
        int r = door->threads < STREAMS_MAX ? begin_thread(opening) : -EBUSY;
        if (r >= 0) {
                door->threads++;
                streams->refs++;
        }
        pthread_mutex_unlock(&streams->lock);
        if (r < 0) {
                free(opening);
                return r;
        }
        *ret = opening;
        return 0;
}

int streams_new(Hypervisor *hypervisor, const char *domain, Streams **ret) {
        Streams *streams = calloc(1, sizeof(*streams));
        if (!streams)
                return -ENOMEM;
        streams->opener = (ChannelOpener){ .open = opener_open, .give_up = opener_give_up };
        streams->hypervisor = hypervisor;
        streams->thread = hypervisor_thread(hypervisor);
        streams->uri = strdup(hypervisor_uri(hypervisor));
        streams->domain = strdup(domain);
        streams->refs = 1;
        pthread_mutex_init(&streams->lock, NULL);
        if (!streams->uri || !streams->domain) {
                streams_unref(streams);
                return -ENOMEM;
        }
        *ret = streams;
        return 0;
}

ChannelOpener *streams_opener(Streams *streams) {
        return &streams->opener;
}

Streams *streams_free(Streams *streams) {
        if (!streams)
                return NULL;
        pthread_mutex_lock(&streams->lock);
        streams->gone = true;
        pthread_mutex_unlock(&streams->lock);
        streams_unref(streams);
        return NULL;
}
