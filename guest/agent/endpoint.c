/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "endpoint.h"

#include <stdio.h>

#include "common/log.h"
#include "device.h"
#include "listener.h"

#define RETRY_USEC (1500 * USEC_PER_MSEC)

/* A device that was just closed is opened again this soon. */
#define REOPEN_USEC (200 * USEC_PER_MSEC)

typedef enum EndpointKind {
        KIND_DEVICE,
        KIND_SOCKET,
        KIND_VSOCK,
} EndpointKind;

typedef struct Endpoint {
        Endpoints *endpoints;
        EndpointKind kind;
        EndpointRole role;
        char *name;
        bool open;
        int last_error; /* logged once */
        Listener *listener;
} Endpoint;

struct Endpoints {
        sd_event *event;
        sd_event_source *timer;
        EndpointOpened opened;
        void *userdata;
        uint32_t vsock_port;
        bool vsock_host_only;
        Endpoint *list;
        size_t n;
};

static void on_accept(int fd, void *userdata) {
        Endpoint *endpoint = userdata;
        Endpoints *endpoints = endpoint->endpoints;

        int r = endpoints->opened(endpoint->role, fd, STREAM_SOCKET, endpoint->name, 0, endpoints->userdata);
        if (r < 0)
                log_warning_errno(r, "%s: a connection could not be taken: %m", endpoint->name);
}

static int device_start(Endpoint *endpoint) {
        Endpoints *endpoints = endpoint->endpoints;
        unsigned token = (unsigned)(endpoint - endpoints->list) + 1;
        StreamKind kind;

        int fd = device_open(endpoint->name, &kind);
        if (fd < 0)
                return fd;
        return endpoints->opened(endpoint->role, fd, kind, endpoint->name, token, endpoints->userdata);
}

static int endpoint_start(Endpoint *endpoint) {
        Endpoints *endpoints = endpoint->endpoints;

        switch (endpoint->kind) {
        case KIND_DEVICE:
                return device_start(endpoint);
        case KIND_VSOCK:
                return listener_new_vsock(endpoints->event, endpoints->vsock_port,
                        endpoints->vsock_host_only, on_accept, endpoint, &endpoint->listener);
        case KIND_SOCKET:
        default:
                return listener_new(
                        endpoints->event, endpoint->name, on_accept, endpoint, &endpoint->listener);
        }
}

/* What may simply not be there in this guest. */
static bool absent(int r) {
        return r == -ENOENT || r == -ENODEV || r == -EAFNOSUPPORT;
}

static void endpoint_try(Endpoint *endpoint) {
        int r = endpoint_start(endpoint);

        endpoint->open = r >= 0;
        if (endpoint->open) {
                endpoint->last_error = 0;
                log_info("Serving %s on %s.",
                        endpoint->role == ENDPOINT_HEART ? "the heartbeat" : "requests", endpoint->name);
        } else if (r != endpoint->last_error) {
                endpoint->last_error = r;
                if (!absent(r))
                        log_warning_errno(r, "Failed to open %s, trying again: %m", endpoint->name);
                else
                        log_debug("%s is not there.", endpoint->name);
        }
}

static int on_timer(sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        Endpoints *endpoints = userdata;
        bool missing = false;

        for (size_t i = 0; i < endpoints->n; i++) {
                if (!endpoints->list[i].open)
                        endpoint_try(&endpoints->list[i]);
                missing = missing || !endpoints->list[i].open;
        }
        if (missing) {
                (void)sd_event_source_set_time_relative(source, RETRY_USEC);
                (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        }
        return 0;
}

static int endpoint_add(Endpoints *endpoints, EndpointKind kind, EndpointRole role, const char *name) {
        char *copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        endpoints->list[endpoints->n++] =
                (Endpoint){ .endpoints = endpoints, .kind = kind, .role = role, .name = copy };
        return 0;
}

static int endpoints_fill(Endpoints *endpoints, const Settings *settings) {
        const struct {
                const NameList *list;
                EndpointKind kind;
                EndpointRole role;
        } lists[] = {
                { &settings->data, KIND_DEVICE, ENDPOINT_DATA },
                { &settings->heartbeat, KIND_DEVICE, ENDPOINT_HEART },
                { &settings->listen, KIND_SOCKET, ENDPOINT_DATA },
                { &settings->listen_heart, KIND_SOCKET, ENDPOINT_HEART },
        };
        size_t n = 1;

        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                n += lists[i].list->n;
        endpoints->list = calloc(n, sizeof(Endpoint));
        if (!endpoints->list)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                for (size_t j = 0; j < lists[i].list->n; j++) {
                        int r = endpoint_add(
                                endpoints, lists[i].kind, lists[i].role, lists[i].list->names[j]);
                        if (r < 0)
                                return r;
                }
        if (settings->vsock_port == 0)
                return 0;
        char name[32];
        (void)snprintf(name, sizeof(name), "vsock:%u", settings->vsock_port);
        return endpoint_add(endpoints, KIND_VSOCK, ENDPOINT_VSOCK, name);
}

int endpoints_new(
        sd_event *event, const Settings *settings, EndpointOpened opened, void *userdata, Endpoints **ret) {
        _cleanup_(endpoints_freep) Endpoints *endpoints = calloc(1, sizeof(Endpoints));
        if (!endpoints)
                return -ENOMEM;

        *endpoints = (Endpoints){
                .event = sd_event_ref(event),
                .opened = opened,
                .userdata = userdata,
                .vsock_port = settings->vsock_port,
                .vsock_host_only = settings->vsock_host_only,
        };
        int r = endpoints_fill(endpoints, settings);
        if (r < 0)
                return r;
        if (endpoints->n == 0)
                return -ENODEV;
        r = sd_event_add_time_relative(event, &endpoints->timer, CLOCK_MONOTONIC, RETRY_USEC,
                100 * USEC_PER_MSEC, on_timer, endpoints);
        if (r < 0)
                return r;
        for (size_t i = 0; i < endpoints->n; i++)
                endpoint_try(&endpoints->list[i]);

        *ret = TAKE_PTR(endpoints);
        return 0;
}

Endpoints *endpoints_free(Endpoints *endpoints) {
        if (!endpoints)
                return NULL;
        sd_event_source_disable_unref(endpoints->timer);
        for (size_t i = 0; i < endpoints->n; i++) {
                listener_free(endpoints->list[i].listener);
                free(endpoints->list[i].name);
        }
        free(endpoints->list);
        sd_event_unref(endpoints->event);
        free(endpoints);
        return NULL;
}

void endpoints_closed(Endpoints *endpoints, unsigned token) {
        if (token == 0 || token > endpoints->n)
                return;
        endpoints->list[token - 1].open = false;
        (void)sd_event_source_set_time_relative(endpoints->timer, REOPEN_USEC);
        (void)sd_event_source_set_enabled(endpoints->timer, SD_EVENT_ONESHOT);
}

size_t endpoints_open(const Endpoints *endpoints) {
        size_t n = 0;

        for (size_t i = 0; i < endpoints->n; i++)
                n += endpoints->list[i].open;
        return n;
}
