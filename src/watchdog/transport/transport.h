/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The ways to a guest, and connecting to one of them without blocking the event loop. */

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "config/config.h"
#include "watchdog/transport/channel-opener.h"
#include "watchdog/transport/domain-lines.h"

/* A connect that takes longer has failed: all of them are local or nearly so. */
#define TRANSPORT_CONNECT_USEC (1 * USEC_PER_SEC)
/* Through libvirt it is a connection to another host first. */
#define TRANSPORT_OPEN_USEC (5 * USEC_PER_SEC)

/* Points into the configuration that it was made from. */
typedef struct Endpoint {
        TransportKind kind; /* not TRANSPORT_AUTO */
        const char *path;   /* channel: the socket's; stream: the channel's name */
        const char *addr;   /* serial: a numeric address, or "localhost" */
        uint16_t port;
        bool telling; /* channel: used only to tell the guest the secret that vsock needs */
        uint32_t cid; /* vsock */
        uint32_t vport;
} Endpoint;

#define ENDPOINTS_MAX 3 /* channel or stream, vsock, serial */

/* The machine's ways for data, in the order in which they are tried: channel, vsock, serial, or the one that
 * is configured. Whoever listens on a TCP port of this host first would be the guest, so a port, like a CID,
 * is one that was named: by the configuration, or by the domain itself where that has no channel. A domain
 * that has a channel and no such line is not looked for on it. Of a machine on another host
 * (machine-config.h) those of this one are no ways, but a stream is. Returns how many. */
size_t transport_data_endpoints(
        const MachineConfig *config, const DomainLines *lines, Endpoint ret[static ENDPOINTS_MAX]);
/* The same for the heartbeat, which has no vsock. */
size_t transport_heart_endpoints(
        const MachineConfig *config, const DomainLines *lines, Endpoint ret[static ENDPOINTS_MAX]);
/* Both point into the same configuration and lines. */
bool endpoints_equal(const Endpoint *a, size_t n_a, const Endpoint *b, size_t n_b);

/* True if the machine's serial lines can be connected to: names other than "localhost" are not resolved,
 * since that would block. */
bool transport_addr_is_usable(const MachineConfig *config);

/* Called once, from the loop, with a connected non-blocking socket that is now the callee's, or with a
 * negative errno. The connector may be freed in it. */
typedef void (*ConnectorDone)(int fd, void *userdata);

typedef struct Connector Connector;
/* Begins to connect. opener: for streams; NULL: there are none. 0 or negative errno; failing to connect is
 * told to done, never here. */
int connector_new(sd_event *event, const Endpoint *endpoint, ChannelOpener *opener, ConnectorDone done,
        void *userdata, Connector **ret);
/* Gives up if it is not done. */
Connector *connector_free(Connector *connector);
DEFINE_CLEANUP(Connector *, connector_free);
