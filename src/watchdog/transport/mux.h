/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Several leases on one byte stream to a guest (common/lane.h): each has a lane, and its client one end of a
 * socket pair. Nothing in the lanes is read. A client that does not read keeps nobody waiting: what is for
 * it waits here, at most as much as a frame may hold. */

#include <systemd/sd-event.h>

#include "common/lane.h"

typedef struct Mux Mux;
typedef struct Lane Lane;

/* The guest closed its connection (-ECONNRESET) or does not keep to the lanes (-EBADMSG); called once, from
 * the loop. The mux may be freed in it. */
typedef void (*MuxBroken)(Mux *mux, int error, void *userdata);

/* guest_fd: a connected non-blocking socket, borrowed. */
int mux_new(sd_event *event, int guest_fd, MuxBroken broken, void *userdata, Mux **ret);
/* The clients of lanes that are left are at the end of file. */
Mux *mux_free(Mux *mux);
DEFINE_CLEANUP(Mux *, mux_free);

/* True if any lane is taken. */
bool mux_is_used(const Mux *mux);
/* *ret_client_fd: what the client gets, the caller's. -EBUSY if there is no lane left. */
int lane_new(Mux *mux, Lane **ret, int *ret_client_fd);
/* Takes it back: its client is at the end of file, and the guest is told. It may outlive its mux. */
Lane *lane_free(Lane *lane);
