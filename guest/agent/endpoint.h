/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where hosts reach the agent: devices and sockets, some of which may not be there yet, or go and come back.
 * Each is tried again every second or two until it is open, and again after it was closed. */

#include <systemd/sd-event.h>

#include "settings.h"
#include "stream.h"

typedef struct Endpoints Endpoints;

typedef enum EndpointRole {
        ENDPOINT_DATA,
        ENDPOINT_VSOCK, /* data, from whoever is on the host */
        ENDPOINT_HEART,
} EndpointRole;

/* A device was opened, or a connection has come; the callee owns fd. token names the device for
 * endpoints_closed(), 0 for a connection. Negative: it could not be taken. */
typedef int (*EndpointOpened)(
        EndpointRole role, int fd, StreamKind kind, const char *name, unsigned token, void *userdata);

/* Opens what can be opened. 0, -ENODEV when nothing at all is configured, or another negative errno. */
int endpoints_new(
        sd_event *event, const Settings *settings, EndpointOpened opened, void *userdata, Endpoints **ret);
Endpoints *endpoints_free(Endpoints *endpoints);
DEFINE_CLEANUP(Endpoints *, endpoints_free);

/* The device of a token was closed, and is to be opened again. */
void endpoints_closed(Endpoints *endpoints, unsigned token);
/* How many are open, for the status. */
size_t endpoints_open(const Endpoints *endpoints);
