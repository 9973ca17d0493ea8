/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/transport/link.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "common/io.h"
#include "common/log.h"
#include "common/reply.h"
#include "watchdog/transport/mux.h"
#include "watchdog/transport/probe.h"
#include "watchdog/transport/relay.h"

#define FAST_ROUNDS 20

struct Link {
        sd_event *event;
        LinkHooks hooks;
        ChannelOpener *opener;   /* NULL: none */
        const char *secret_file; /* NULL: none */
        Framing framing;
        uint64_t probe_usec;
        bool started;
        bool proven;
        bool has_secret;
        uint8_t secret[SECRET_SIZE]; /* of this life of the guest, or the operator's */
        bool given;                  /* the operator's: the guest has it as a credential */
        bool told;                   /* the guest knows it, and wants to hear it over vsock */

        Endpoint endpoints[ENDPOINTS_MAX];
        size_t n_endpoints;
        size_t current;   /* the one that works, or is being tried */
        size_t preferred; /* the one that worked last */
        uint64_t preferred_usec;

        /* Looking for a way: rounds over all endpoints. */
        unsigned round;
        size_t tried; /* in this round */
        bool connected_once;
        Connector *connector;
        Probe *probe;
        sd_event_source *retry;

        int fd; /* the byte stream, or the connection of a probe */
        sd_event_source *idle_io;
        size_t unasked;
        Strand *stream_strand; /* who holds the byte stream */
        Mux *mux;              /* the byte stream's lanes; NULL: it has none */
        Lane *probe_lane;
        int probe_fd;
};

struct Strand {
        Link *link;
        StrandDone done;
        void *userdata;
        Relay *relay;         /* byte stream */
        Lane *lane;           /* byte stream with lanes */
        Connector *connector; /* vsock */
        int fd;               /* vsock: the connection, also held by the client */
        sd_event_source *defer;
};

static void try_endpoint(Link *link);
static int ask(Link *link);
static void schedule_round(Link *link, uint64_t usec);

/* Over vsock a guest that was told the secret hears it before anything else. The buffer of a new connection
 * has room for it. */
static int prove(const Link *link, int fd) {
        char proof[PROOF_SIZE];

        if (!link->told || link->endpoints[link->current].kind != TRANSPORT_VSOCK)
                return 0;
        proof_write(link->secret, proof);
        ssize_t n = send(fd, proof, sizeof(proof), MSG_DONTWAIT | MSG_NOSIGNAL);
        explicit_bzero(proof, sizeof(proof));
        return n == sizeof(proof) ? 0 : -EIO;
}

static bool is_stream(const Link *link) {
        return link->endpoints[link->current].kind != TRANSPORT_VSOCK;
}

/* Whoever is on one is the guest; elsewhere anybody may be. */
static bool is_channel(const Link *link) {
        TransportKind kind = link->endpoints[link->current].kind;
        return kind == TRANSPORT_CHANNEL || kind == TRANSPORT_STREAM;
}

static void end_probe(Link *link) {
        link->probe = probe_free(link->probe);
        link->probe_lane = lane_free(link->probe_lane);
        link->probe_fd = fd_close(link->probe_fd);
}

static void drop_connection(Link *link) {
        end_probe(link);
        link->mux = mux_free(link->mux);
        link->connector = connector_free(link->connector);
        link->idle_io = sd_event_source_disable_unref(link->idle_io);
        link->fd = fd_close(link->fd);
}

/* ---- looking for a way ---- */

static void report(Link *link, LinkFact fact) {
        link->proven = fact == LINK_PROVEN;
        link->hooks.fact(link, fact, link->hooks.userdata);
}

static void leave_lanes(Link *link, const char *how) {
        drop_connection(link);
        link->round = 0;
        schedule_round(link, LINK_RETRY_FAST_USEC);
        report(link, LINK_DOWN);
        if (how)
                link->hooks.misbehaved(link, how, link->hooks.userdata);
}

static void on_mux_broken(Mux *mux _unused_, int error, void *userdata) {
        leave_lanes(userdata, error == -EBADMSG ? "it does not keep to its lanes" : NULL);
}

/* Others may still be on the stream; it is only asked once more. */
static void ask_again(Link *link) {
        int r = link->probe ? 0 : ask(link);

        /* A lane that was taken back can be used again when the guest has ended it too. */
        if (r == -EBUSY && !mux_is_used(link->mux))
                leave_lanes(link, "it ends no lane");
        else if (r < 0)
                schedule_round(link, LINK_RETRY_SLOW_USEC);
}

static void begin_round(Link *link) {
        if (link->mux) {
                ask_again(link);
                return;
        }
        link->tried = 0;
        link->connected_once = false;
        if (now_monotonic() >= usec_add(link->preferred_usec, LINK_REMEMBER_USEC))
                link->preferred = 0;
        if (!link->told && link->endpoints[0].telling)
                link->preferred = 0;
        try_endpoint(link);
}

static int on_retry(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        begin_round(userdata);
        return 0;
}

static void schedule_round(Link *link, uint64_t usec) {
        link->retry = sd_event_source_disable_unref(link->retry);
        /* Without memory for a timer the link stays down, and the machine is reverted for that. */
        (void)sd_event_add_time_relative(
                link->event, &link->retry, CLOCK_MONOTONIC, usec, USEC_PER_MSEC, on_retry, link);
}

static void round_failed(Link *link) {
        uint64_t pause = link->round++ < FAST_ROUNDS ? LINK_RETRY_FAST_USEC : LINK_RETRY_SLOW_USEC;

        schedule_round(link, pause);
        report(link, link->connected_once ? LINK_SILENT : LINK_REFUSED);
}

static void endpoint_failed(Link *link) {
        drop_connection(link);
        link->tried++;
        try_endpoint(link);
}

static int on_idle_io(sd_event_source *source _unused_, int fd, uint32_t revents _unused_, void *userdata) {
        Link *link = userdata;
        char buffer[4096];

        ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0) {
                drop_connection(link);
                link->round = 0;
                schedule_round(link, 0);
                report(link, LINK_DOWN);
                return 0;
        }

        if (link->unasked == 0)
                link->hooks.unasked(link, link->hooks.userdata);
        link->unasked += (size_t)n;
        if (link->unasked > LINK_UNASKED_MAX) {
                link->unasked = 0;
                link->hooks.misbehaved(link, "it talks without being asked", link->hooks.userdata);
        }
        return 0;
}

/* Nobody uses the byte stream: what comes is thrown away, and its end is noticed. */
static int go_idle(Link *link) {
        link->idle_io = sd_event_source_disable_unref(link->idle_io);
        return sd_event_add_io(link->event, &link->idle_io, link->fd, EPOLLIN, on_idle_io, link);
}

/* The agent answered on its byte stream; lanes: it understands them, if it is not in one already. */
static int keep_stream(Link *link, bool lanes) {
        if (link->mux)
                return 0;
        return lanes ? mux_new(link->event, link->fd, on_mux_broken, link, &link->mux) : go_idle(link);
}

static void answered(Link *link, bool lanes) {
        /* It was only told something. */
        if (link->endpoints[link->current].telling) {
                endpoint_failed(link);
                return;
        }
        link->preferred = link->current;
        link->preferred_usec = now_monotonic();
        link->round = 0;
        link->unasked = 0;
        if (!is_stream(link))
                link->fd = fd_close(link->fd);
        else if (keep_stream(link, lanes) < 0) {
                endpoint_failed(link);
                return;
        }
        report(link, LINK_PROVEN);
}

static void on_probed(int result, void *userdata) {
        Link *link = userdata;
        bool again = link->proven, lanes = false;

        if (result >= 0 && is_channel(link)) {
                link->told = link->given || (link->has_secret && probe_speaks(link->probe, SPEAKS_PROOF));
                lanes = probe_speaks(link->probe, SPEAKS_LANES);
        }
        end_probe(link);
        if (result >= 0)
                answered(link, lanes);
        else if (result == -ETIMEDOUT && link->mux && mux_is_used(link->mux)) {
                /* Among others' jobs it may just be slow: they keep their lanes. */
                schedule_round(link, LINK_RETRY_FAST_USEC);
                report(link, LINK_SILENT);
        } else if (!again)
                endpoint_failed(link);
        else {
                drop_connection(link);
                link->round = 0;
                schedule_round(link, LINK_RETRY_FAST_USEC);
                report(link, result == -ECONNRESET ? LINK_DOWN : LINK_SILENT);
        }
}

static int ask(Link *link) {
        uint64_t limit = !link->proven && link->round == 0 ? link->probe_usec / 2 : link->probe_usec;

        link->idle_io = sd_event_source_disable_unref(link->idle_io);
        bool tell = link->has_secret && is_channel(link);
        int r = link->mux ? lane_new(link->mux, &link->probe_lane, &link->probe_fd) : 0;
        if (r >= 0)
                r = probe_new(link->event, link->mux ? link->probe_fd : link->fd, link->framing,
                        tell ? link->secret : NULL, limit, on_probed, link, &link->probe);
        if (r < 0)
                end_probe(link);
        return r;
}

static void on_connected(int fd, void *userdata) {
        Link *link = userdata;

        link->connector = connector_free(link->connector);
        if (fd >= 0) {
                link->fd = fd;
                link->connected_once = true;
                if (prove(link, fd) >= 0 && ask(link) >= 0)
                        return;
        }
        /* Only a connection for a second look at a vsock that worked can fail while it counts as proven. */
        if (link->proven) {
                drop_connection(link);
                schedule_round(link, LINK_RETRY_FAST_USEC);
                report(link, LINK_DOWN);
        } else
                endpoint_failed(link);
}

static void connect_current(Link *link) {
        if (connector_new(link->event, &link->endpoints[link->current], link->opener, on_connected, link,
                    &link->connector) < 0)
                schedule_round(link, LINK_RETRY_SLOW_USEC);
}

/* The preferred way first, then the others in their order. */
static void try_endpoint(Link *link) {
        if (link->tried >= link->n_endpoints) {
                round_failed(link);
                return;
        }
        if (link->tried == 0)
                link->current = link->preferred;
        else
                link->current = link->tried <= link->preferred ? link->tried - 1 : link->tried;
        connect_current(link);
}

/* ---- its user ---- */

int link_new(sd_event *event, const MachineConfig *config, LinkHooks hooks, Link **ret) {
        Link *link = calloc(1, sizeof(*link));
        if (!link)
                return -ENOMEM;
        link->event = sd_event_ref(event);
        link->hooks = hooks;
        link->secret_file = config->secret;
        link->fd = link->probe_fd = -EBADF;
        link->probe_usec = MAX(LINK_PROBE_USEC, config->heartbeat_lost_usec / 3);
        link->n_endpoints = transport_data_endpoints(config, &(DomainLines){}, link->endpoints);
        *ret = link;
        return 0;
}

Link *link_free(Link *link) {
        if (!link)
                return NULL;
        assert(!link->stream_strand);
        link_stop(link);
        sd_event_unref(link->event);
        explicit_bzero(link->secret, sizeof(link->secret));
        free(link);
        return NULL;
}

void link_set_opener(Link *link, ChannelOpener *opener) {
        link->opener = opener;
}

static bool secret_load(Link *link) {
        if (!link->secret_file)
                return false;
        int r = secret_read(link->secret_file, link->secret);
        if (r == -EBADMSG || r == -EPERM)
                log_error("%s: expected 64 hexadecimal digits in a file that not everybody may use.",
                        link->secret_file);
        else if (r < 0)
                log_error_errno(r, "%s: the guest's secret cannot be read: %m", link->secret_file);
        return r >= 0;
}

static void begin(Link *link, Framing framing) {
        link->framing = framing;
        link->started = true;
        link->round = 0;
        /* Another life of the guest, or it is not known whether it is: it knows nothing yet but what lasts.
         */
        link->told = link->given = secret_load(link);
        link->has_secret = link->given || getrandom(link->secret, sizeof(link->secret), GRND_NONBLOCK) ==
                                                  sizeof(link->secret);
}

void link_start(Link *link, Framing framing) {
        if (link->started) {
                link->framing = framing;
                return;
        }
        begin(link, framing);
        schedule_round(link, 0);
}

void link_adopt(Link *link, Framing framing, int fd, bool lanes) {
        begin(link, framing);
        if (link->n_endpoints == 0 || link->endpoints[0].kind != TRANSPORT_CHANNEL) {
                fd_close(fd);
                schedule_round(link, 0);
                return;
        }
        link->current = link->tried = 0;
        link->connected_once = true;
        link->fd = fd;
        answered(link, lanes);
}

void link_stop(Link *link) {
        drop_connection(link);
        link->retry = sd_event_source_disable_unref(link->retry);
        link->started = link->proven = false;
}

bool link_set_lines(Link *link, const MachineConfig *config, const DomainLines *lines) {
        Endpoint endpoints[ENDPOINTS_MAX];
        size_t n = transport_data_endpoints(config, lines, endpoints);

        if (endpoints_equal(link->endpoints, link->n_endpoints, endpoints, n))
                return false;
        link_stop(link);
        memcpy(link->endpoints, endpoints, n * sizeof(*endpoints));
        link->n_endpoints = n;
        link->current = link->preferred = 0;
        return true;
}

void link_probe(Link *link) {
        if (!link->proven || link->probe || link->connector || link->stream_strand)
                return;
        if (!is_stream(link))
                connect_current(link);
        else if (ask(link) < 0)
                schedule_round(link, LINK_RETRY_SLOW_USEC);
}

bool link_is_wide(const Link *link) {
        return link->proven && (link->mux || !is_stream(link));
}

TransportKind link_transport(const Link *link) {
        return link->proven ? link->endpoints[link->current].kind : TRANSPORT_AUTO;
}

/* ---- strands ---- */

static void on_stream_lost(Relay *relay _unused_, void *userdata) {
        Strand *strand = userdata;
        Link *link = strand->link;

        /* The relay keeps what the client has not read yet, and does not touch the guest's side any more. */
        drop_connection(link);
        link->stream_strand = NULL;
        link->round = 0;
        schedule_round(link, LINK_RETRY_FAST_USEC);
        report(link, LINK_DOWN);
}

/* True if something lies on the stream that belongs to nobody. */
static bool has_leftovers(int fd) {
        char c;
        return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static int on_stream_ready(sd_event_source *source, uint64_t usec _unused_, void *userdata) {
        Strand *strand = userdata;
        Link *link = strand->link;
        int client_fd = -EBADF, r = -ENOTCONN;

        sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (link->proven && link->mux)
                r = lane_new(link->mux, &strand->lane, &client_fd);
        else if (link->proven && link->fd >= 0 && !link->stream_strand && !link->probe)
                r = has_leftovers(link->fd) ? -EAGAIN : 0;
        if (r >= 0 && !strand->lane) {
                link->idle_io = sd_event_source_disable_unref(link->idle_io);
                r = relay_new(link->event, link->fd, on_stream_lost, strand, &strand->relay, &client_fd);
        }
        if (r >= 0 && !strand->lane)
                link->stream_strand = strand;
        strand->done(strand, r < 0 ? r : client_fd, strand->userdata);
        return 0;
}

static void on_vsock_connected(int fd, void *userdata) {
        Strand *strand = userdata;
        int client_fd = fd;

        strand->connector = connector_free(strand->connector);
        if (fd >= 0 && prove(strand->link, fd) < 0)
                client_fd = fd = (fd_close(fd), -EIO);
        if (fd >= 0) {
                strand->fd = fd;
                client_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                if (client_fd < 0)
                        client_fd = -errno;
        }
        strand->done(strand, client_fd, strand->userdata);
}

int strand_new(Link *link, StrandDone done, void *userdata, Strand **ret) {
        Strand *strand = malloc(sizeof(*strand));
        if (!strand)
                return -ENOMEM;
        *strand = (Strand){ .link = link, .done = done, .userdata = userdata, .fd = -EBADF };

        int r;
        if (is_stream(link))
                r = sd_event_add_time_relative(
                        link->event, &strand->defer, CLOCK_MONOTONIC, 0, 1, on_stream_ready, strand);
        else
                r = connector_new(link->event, &link->endpoints[link->current], NULL, on_vsock_connected,
                        strand, &strand->connector);
        if (r < 0) {
                free(strand);
                return r;
        }
        *ret = strand;
        return 0;
}

bool strand_close(Strand *strand) {
        Link *link = strand->link;
        bool torn = false;

        sd_event_source_disable_unref(strand->defer);
        connector_free(strand->connector);
        lane_free(strand->lane);
        if (strand->fd >= 0) {
                /* The client may hold its descriptor on, but nothing passes any more. */
                (void)shutdown(strand->fd, SHUT_RDWR);
                fd_close(strand->fd);
        }
        if (strand->relay) {
                torn = relay_is_torn(strand->relay);
                relay_free(strand->relay);
        }
        if (link->stream_strand == strand) {
                link->stream_strand = NULL;
                link->unasked = 0;
                if (link->fd >= 0 && go_idle(link) < 0)
                        schedule_round(link, LINK_RETRY_SLOW_USEC);
        }
        free(strand);
        return torn;
}
