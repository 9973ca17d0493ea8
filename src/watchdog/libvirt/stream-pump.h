/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pumps between a libvirt stream and a socket pair: what the guest says on libvirt's thread, what it is told
 * on the caller's; see stream.h for why. */

#include <libvirt/libvirt.h>

#include "common/macro.h"

typedef struct StreamPump StreamPump;
/* stream: open and non-blocking, of a connection that nobody else uses; both borrowed. *ret_fd: the user's
 * end, non-blocking, the caller's. 0 or negative errno. */
int stream_pump_new(virConnectPtr connection, virStreamPtr stream, StreamPump **ret, int *ret_fd);
/* Returns when the user has closed its end, the guest its own, or the connection is lost; a send may block
 * for as long as the guest does not read. */
void stream_pump_run(StreamPump *pump);
/* The user's end is at the end of file, once it has read what came. NULL is fine. */
void stream_pump_free(StreamPump *pump);
