/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A socket that hosts connect to: AF_VSOCK, or a unix socket for tests. */

#include <systemd/sd-event.h>

#include "common/macro.h"

typedef struct Listener Listener;

/* A connection has come; the callee owns fd. */
typedef void (*ListenerAccept)(int fd, void *userdata);

/* Listens on a port of AF_VSOCK. host_only: connections that are not from the host (CID 2) are closed.
 * -EAFNOSUPPORT or -ENODEV while the kernel has no vsock. */
int listener_new_vsock(sd_event *event, uint32_t port, bool host_only, ListenerAccept accept, void *userdata,
        Listener **ret);
/* Listens where address says, unix:PATH; a socket that is there is replaced. -EINVAL for another address. */
int listener_new(
        sd_event *event, const char *address, ListenerAccept accept, void *userdata, Listener **ret);
Listener *listener_free(Listener *listener);
DEFINE_CLEANUP(Listener *, listener_free);
