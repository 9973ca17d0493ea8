/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/transport/pulse.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/io.h"

#define RETRY_FAST_USEC (100 * USEC_PER_MSEC)
#define RETRY_SLOW_USEC (1 * USEC_PER_SEC)
#define FAST_TRIES 20
/* A guest that fills the buffer is read at this pace, so that it cannot keep the loop busy. */
#define FLOOD_PAUSE_USEC (100 * USEC_PER_MSEC)

struct Pulse {
        sd_event *event;
        ChannelOpener *opener; /* NULL: none */
        PulseHook hook;
        void *userdata;
        Heartbeat heartbeat;
        bool started;

        Endpoint endpoints[ENDPOINTS_MAX];
        size_t n_endpoints;
        size_t current;
        size_t preferred; /* where the last beat came */
        size_t refused;   /* endpoints in a row that could not be connected to */
        unsigned tries;
        Connector *connector;
        int fd;
        sd_event_source *io;
        sd_event_source *timer; /* the next thing to do, whatever it is */
        bool flooded;
};

static void look(Pulse *pulse);

static void disconnect(Pulse *pulse) {
        pulse->connector = connector_free(pulse->connector);
        pulse->io = sd_event_source_disable_unref(pulse->io);
        pulse->fd = fd_close(pulse->fd);
        pulse->flooded = false;
        heartbeat_disconnected(&pulse->heartbeat);
}

static int on_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        look(userdata);
        return 0;
}

static void set_timer(Pulse *pulse, uint64_t at_usec) {
        if (at_usec == USEC_INFINITY) {
                (void)sd_event_source_set_enabled(pulse->timer, SD_EVENT_OFF);
                return;
        }
        (void)sd_event_source_set_time(pulse->timer, at_usec);
        (void)sd_event_source_set_enabled(pulse->timer, SD_EVENT_ONESHOT);
}

static void connection_failed(Pulse *pulse, size_t next) {
        disconnect(pulse);
        pulse->current = next % pulse->n_endpoints;
        set_timer(
                pulse, now_monotonic() + (pulse->tries++ < FAST_TRIES ? RETRY_FAST_USEC : RETRY_SLOW_USEC));
}

/* Reads what is there, once: the number of bytes, 0 if there is nothing, or a negative errno at the end. */
static ssize_t receive(Pulse *pulse, uint64_t now) {
        char buffer[2048];

        ssize_t n = recv(pulse->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (n == 0)
                return -ECONNRESET;
        if (heartbeat_feed(&pulse->heartbeat, buffer, (size_t)n, now)) {
                pulse->tries = 0;
                pulse->preferred = pulse->current;
        }
        pulse->flooded = n == sizeof(buffer);
        return n;
}

static int on_io(sd_event_source *source, int fd _unused_, uint32_t revents _unused_, void *userdata) {
        Pulse *pulse = userdata;
        uint64_t now = now_monotonic();

        ssize_t n = receive(pulse, now);
        if (n == 0)
                return 0;
        if (n < 0)
                connection_failed(pulse, pulse->preferred);
        else if (pulse->flooded) {
                (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
                set_timer(pulse, now + FLOOD_PAUSE_USEC);
        } else
                look(pulse);
        pulse->hook(pulse, pulse->userdata);
        return 0;
}

static void on_connected(int fd, void *userdata) {
        Pulse *pulse = userdata;

        pulse->connector = connector_free(pulse->connector);
        if (fd < 0 || sd_event_add_io(pulse->event, &pulse->io, fd, EPOLLIN, on_io, pulse) < 0) {
                fd_close(fd);
                pulse->refused++;
                connection_failed(pulse, pulse->current + 1);
        } else {
                pulse->refused = 0;
                pulse->fd = fd;
                heartbeat_connected(&pulse->heartbeat, now_monotonic());
                look(pulse);
        }
        pulse->hook(pulse, pulse->userdata);
}

static void connect_current(Pulse *pulse) {
        if (connector_new(pulse->event, &pulse->endpoints[pulse->current], pulse->opener, on_connected,
                    pulse, &pulse->connector) < 0)
                set_timer(pulse, now_monotonic() + RETRY_SLOW_USEC);
}

/* When this way is given up for another one. */
static uint64_t patience_usec(const Pulse *pulse) {
        const Heartbeat *h = &pulse->heartbeat;

        if (pulse->n_endpoints < 2 || pulse->fd < 0)
                return USEC_INFINITY;
        return usec_add(MAX(h->connected_usec, h->beat_usec), PULSE_PATIENCE_USEC);
}

/* Does what is due by now, and sets the timer for what is due next. */
static void look(Pulse *pulse) {
        uint64_t now = now_monotonic();

        if (pulse->fd < 0) {
                if (!pulse->connector && pulse->started)
                        connect_current(pulse);
                return;
        }
        if (now >= patience_usec(pulse)) {
                connection_failed(pulse, pulse->current + 1);
                return;
        }
        /* When we were late ourselves, the beat may lie here unread. */
        if (heartbeat_is_lost(&pulse->heartbeat, now))
                (void)receive(pulse, now);
        if (pulse->flooded) {
                pulse->flooded = false;
                (void)sd_event_source_set_enabled(pulse->io, SD_EVENT_ON);
        }
        /* A question that does not fit into the socket's buffer is not missed: the guest reads nothing. */
        if (heartbeat_ask(&pulse->heartbeat, now))
                (void)!send(pulse->fd, "\n", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        set_timer(pulse, MIN(heartbeat_deadline(&pulse->heartbeat, now), patience_usec(pulse)));
        if (heartbeat_is_lost(&pulse->heartbeat, now))
                pulse->hook(pulse, pulse->userdata);
}

int pulse_new(sd_event *event, const MachineConfig *config, PulseHook hook, void *userdata, Pulse **ret) {
        _cleanup_(pulse_freep) Pulse *pulse = calloc(1, sizeof(*pulse));
        if (!pulse)
                return -ENOMEM;
        pulse->event = sd_event_ref(event);
        pulse->hook = hook;
        pulse->userdata = userdata;
        pulse->fd = -EBADF;
        pulse->n_endpoints = transport_heart_endpoints(config, &(DomainLines){}, pulse->endpoints);
        heartbeat_init(&pulse->heartbeat, config->guest, config->heartbeat_lost_usec);

        int r = sd_event_add_time(event, &pulse->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_time, pulse);
        if (r < 0)
                return r;
        (void)sd_event_source_set_enabled(pulse->timer, SD_EVENT_OFF);

        *ret = TAKE_PTR(pulse);
        return 0;
}

Pulse *pulse_free(Pulse *pulse) {
        if (!pulse)
                return NULL;
        disconnect(pulse);
        sd_event_source_disable_unref(pulse->timer);
        sd_event_unref(pulse->event);
        free(pulse);
        return NULL;
}

void pulse_set_opener(Pulse *pulse, ChannelOpener *opener) {
        pulse->opener = opener;
}

void pulse_recall_guest(Pulse *pulse, GuestKind kind) {
        heartbeat_recall(&pulse->heartbeat, kind);
}

void pulse_start(Pulse *pulse) {
        if (pulse->started || pulse->n_endpoints == 0)
                return;
        pulse->started = true;
        pulse->tries = 0;
        pulse->refused = 0;
        set_timer(pulse, now_monotonic());
}

void pulse_stop(Pulse *pulse) {
        disconnect(pulse);
        set_timer(pulse, USEC_INFINITY);
        heartbeat_reset(&pulse->heartbeat);
        pulse->started = false;
}

void pulse_set_lines(Pulse *pulse, const MachineConfig *config, const DomainLines *lines) {
        Endpoint endpoints[ENDPOINTS_MAX];
        size_t n = transport_heart_endpoints(config, lines, endpoints);

        if (endpoints_equal(pulse->endpoints, pulse->n_endpoints, endpoints, n))
                return;
        pulse_stop(pulse);
        memcpy(pulse->endpoints, endpoints, n * sizeof(*endpoints));
        pulse->n_endpoints = n;
        pulse->current = pulse->preferred = 0;
}

PulseFact pulse_fact(const Pulse *pulse, uint64_t now_usec) {
        if (pulse->n_endpoints == 0)
                return PULSE_NONE;
        if (heartbeat_is_beating(&pulse->heartbeat, now_usec))
                return PULSE_BEATING;
        if (heartbeat_is_lost(&pulse->heartbeat, now_usec))
                return PULSE_LOST;
        return pulse->refused >= pulse->n_endpoints ? PULSE_REFUSED : PULSE_WAITING;
}

bool pulse_take_restarted(Pulse *pulse) {
        bool restarted = pulse->heartbeat.restarted;

        pulse->heartbeat.restarted = false;
        return restarted;
}

const char *pulse_take_words(Pulse *pulse) {
        return last_words_take(&pulse->heartbeat.words);
}

const Heartbeat *pulse_heartbeat(const Pulse *pulse) {
        return &pulse->heartbeat;
}
