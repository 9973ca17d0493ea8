/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/transport/transport.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
/* Needs struct sockaddr. */
#include <linux/vm_sockets.h>

#include "config/machine-config.h"

typedef union SocketAddress {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_vm vm;
} SocketAddress;

struct Connector {
        ConnectorDone done;
        void *userdata;
        int fd;    /* -EBADF when it could not even be begun */
        int error; /* then, why */
        ChannelOpener *opener;
        ChannelOpening *opening; /* NULL: none is on its way */
        sd_event_source *io;
        sd_event_source *timer;
};

static bool wanted(const MachineConfig *config, TransportKind kind) {
        return config->transport == TRANSPORT_AUTO || config->transport == kind;
}

static Endpoint channel_endpoint(const char *path) {
        return (Endpoint){ .kind = TRANSPORT_CHANNEL, .path = path };
}

static Endpoint serial_endpoint(const MachineConfig *config, uint16_t port) {
        return (Endpoint){
                .kind = TRANSPORT_SERIAL,
                .addr = config->addr ? config->addr : "127.0.0.1",
                .port = port,
        };
}

/* A domain with a channel has no other ways but those that are asked for. */
static bool has_channel(const MachineConfig *config, const DomainLines *lines) {
        return lines->channel && config->channel_data;
}

/* The port of a line of the domain's, by what was said of it; 0: none. */
static uint16_t serial_port(
        const MachineConfig *config, const DomainLines *lines, bool named, uint16_t port, size_t line) {
        if (config->transport == TRANSPORT_SERIAL || !lines->known)
                return port;
        if (has_channel(config, lines))
                return domain_lines_have_port(lines, port) ? port : 0;
        return named ? port : lines->ports[line];
}

static uint32_t guest_cid(const MachineConfig *config, const DomainLines *lines) {
        return config->cid_named || !lines->known || has_channel(config, lines) ? config->cid : lines->cid;
}

/* Streams are asked for, or they are what remains of the channels of another host's. */
static bool is_far(const MachineConfig *config) {
        return config->transport == TRANSPORT_STREAM || machine_config_is_remote(config);
}

/* What is at a path, a CID or a port of this host is not a guest of another one: of that, only what the
 * configuration names by its address. */
static size_t remote_endpoints(const MachineConfig *config, const DomainLines *lines, const char *channel,
        bool named, uint16_t port, Endpoint ret[static ENDPOINTS_MAX]) {
        size_t n = 0;

        if (config->transport == TRANSPORT_STREAM || (lines->channel && config->transport == TRANSPORT_AUTO))
                ret[n++] = (Endpoint){ .kind = TRANSPORT_STREAM, .path = channel };
        if (named && port > 0 && config->addr_named && wanted(config, TRANSPORT_SERIAL))
                ret[n++] = serial_endpoint(config, port);
        return n;
}

size_t transport_data_endpoints(
        const MachineConfig *config, const DomainLines *lines, Endpoint ret[static ENDPOINTS_MAX]) {
        if (is_far(config))
                return remote_endpoints(
                        config, lines, "org.pbot.vm.0", config->serial_named, config->serial_port, ret);

        uint16_t port = serial_port(config, lines, config->serial_named, config->serial_port, 0);
        uint32_t cid = guest_cid(config, lines);
        size_t n = 0;

        if (config->channel_data && config->transport != TRANSPORT_SERIAL) {
                ret[n] = channel_endpoint(lines->data ? lines->data : config->channel_data);
                ret[n++].telling = config->transport == TRANSPORT_VSOCK;
        }
        if (cid > 0 && wanted(config, TRANSPORT_VSOCK))
                ret[n++] = (Endpoint){ .kind = TRANSPORT_VSOCK, .cid = cid, .vport = config->vport };
        if (port > 0 && wanted(config, TRANSPORT_SERIAL))
                ret[n++] = serial_endpoint(config, port);
        return n;
}

size_t transport_heart_endpoints(
        const MachineConfig *config, const DomainLines *lines, Endpoint ret[static ENDPOINTS_MAX]) {
        if (is_far(config))
                return remote_endpoints(config, lines, "org.pbot.vm.heartbeat", config->heart_named,
                        config->heart_port, ret);

        uint16_t port = serial_port(config, lines, config->heart_named, config->heart_port, 1);
        size_t n = 0;

        if (config->channel_heart && config->transport != TRANSPORT_SERIAL)
                ret[n++] = channel_endpoint(lines->heart ? lines->heart : config->channel_heart);
        if (port > 0 && config->transport != TRANSPORT_CHANNEL)
                ret[n++] = serial_endpoint(config, port);
        return n;
}

bool endpoints_equal(const Endpoint *a, size_t n_a, const Endpoint *b, size_t n_b) {
        if (n_a != n_b)
                return false;
        for (size_t i = 0; i < n_a; i++)
                if (a[i].kind != b[i].kind || a[i].path != b[i].path || a[i].addr != b[i].addr ||
                        a[i].port != b[i].port || a[i].cid != b[i].cid || a[i].vport != b[i].vport ||
                        a[i].telling != b[i].telling)
                        return false;
        return true;
}

/* Fills *ret; returns its size, or a negative errno. */
static int endpoint_address(const Endpoint *endpoint, SocketAddress *ret) {
        const char *addr = endpoint->addr;
        SocketAddress a = {};

        switch (endpoint->kind) {
        case TRANSPORT_VSOCK:
                a.vm = (struct sockaddr_vm){
                        .svm_family = AF_VSOCK,
                        .svm_cid = endpoint->cid,
                        .svm_port = endpoint->vport,
                };
                *ret = a;
                return sizeof(a.vm);
        case TRANSPORT_CHANNEL:
                a.un.sun_family = AF_UNIX;
                if (strlen(endpoint->path) >= sizeof(a.un.sun_path))
                        return -ENAMETOOLONG;
                strcpy(a.un.sun_path, endpoint->path);
                *ret = a;
                return sizeof(a.un);
        default:
                if (streq(addr, "localhost"))
                        addr = "127.0.0.1";
                if (inet_pton(AF_INET, addr, &a.in.sin_addr) == 1) {
                        a.in.sin_family = AF_INET;
                        a.in.sin_port = htons(endpoint->port);
                        *ret = a;
                        return sizeof(a.in);
                }
                if (inet_pton(AF_INET6, addr, &a.in6.sin6_addr) == 1) {
                        a.in6.sin6_family = AF_INET6;
                        a.in6.sin6_port = htons(endpoint->port);
                        *ret = a;
                        return sizeof(a.in6);
                }
                return -EADDRNOTAVAIL;
        }
}

bool transport_addr_is_usable(const MachineConfig *config) {
        Endpoint endpoint = serial_endpoint(config, 1);
        SocketAddress address;

        return endpoint_address(&endpoint, &address) >= 0;
}

/* A socket that is connected or about to be, or a negative errno. */
static int begin_connect(const Endpoint *endpoint) {
        SocketAddress address = {};
        int size = endpoint_address(endpoint, &address);
        if (size < 0)
                return size;

        _cleanup_close_ int fd =
                socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (endpoint->kind == TRANSPORT_SERIAL)
                (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));

        /* EAGAIN of a unix socket is no promise to go on: its backlog is full. */
        if (connect(fd, &address.any, (socklen_t)size) < 0 && errno != EINPROGRESS)
                return -errno;
        return TAKE_FD(fd);
}

static void give_up(Connector *connector) {
        if (connector->opening)
                connector->opener->give_up(TAKE_PTR(connector->opening));
}

static void finish(Connector *connector, int result) {
        (void)sd_event_source_set_enabled(connector->timer, SD_EVENT_OFF);
        if (connector->io)
                (void)sd_event_source_set_enabled(connector->io, SD_EVENT_OFF);
        connector->done(result, connector->userdata);
}

static int on_connected(
        sd_event_source *source _unused_, int fd _unused_, uint32_t revents _unused_, void *userdata) {
        Connector *connector = userdata;
        int error = 0;
        socklen_t size = sizeof(error);

        if (getsockopt(connector->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                error = errno;
        finish(connector, error > 0 ? -error : TAKE_FD(connector->fd));
        return 0;
}

static int on_failed(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Connector *connector = userdata;

        bool late = connector->fd >= 0 || connector->opening;

        give_up(connector);
        finish(connector, late ? -ETIMEDOUT : connector->error);
        return 0;
}

static void on_opened(int fd, void *userdata) {
        Connector *connector = userdata;

        connector->opening = NULL;
        finish(connector, fd);
}

/* How long it may take; 0: it has failed. */
static uint64_t begin(Connector *connector, const Endpoint *endpoint) {
        int r = -ENOTCONN;

        if (endpoint->kind == TRANSPORT_STREAM) {
                if (connector->opener)
                        r = connector->opener->open(connector->opener, endpoint->path, on_opened, connector,
                                &connector->opening);
                connector->error = r;
                return r < 0 ? 0 : TRANSPORT_OPEN_USEC;
        }
        r = begin_connect(endpoint);
        if (r < 0)
                connector->error = r;
        else
                connector->fd = r;
        return r < 0 ? 0 : TRANSPORT_CONNECT_USEC;
}

int connector_new(sd_event *event, const Endpoint *endpoint, ChannelOpener *opener, ConnectorDone done,
        void *userdata, Connector **ret) {
        _cleanup_(connector_freep) Connector *connector = malloc(sizeof(*connector));
        if (!connector)
                return -ENOMEM;
        *connector = (Connector){ .done = done, .userdata = userdata, .fd = -EBADF, .opener = opener };
        uint64_t limit = begin(connector, endpoint);

        int r = sd_event_add_time_relative(
                event, &connector->timer, CLOCK_MONOTONIC, limit, USEC_PER_MSEC, on_failed, connector);
        if (r >= 0 && connector->fd >= 0)
                r = sd_event_add_io(event, &connector->io, connector->fd, EPOLLOUT, on_connected, connector);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(connector);
        return 0;
}

Connector *connector_free(Connector *connector) {
        if (!connector)
                return NULL;
        sd_event_source_disable_unref(connector->io);
        sd_event_source_disable_unref(connector->timer);
        give_up(connector);
        fd_close(connector->fd);
        free(connector);
        return NULL;
}
