/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pumps a byte stream between a guest and the holder of a lease, so that taking the lease back is a close:
 * the guest's connection stays with the watchdog. What is on its way is bounded in both directions; a side
 * that does not read stops the other one, and nobody else. */

#include <systemd/sd-event.h>

#include "common/macro.h"

#define RELAY_BUFFER_SIZE 65536

typedef struct Relay Relay;

/* The guest closed its connection; called once, from the loop. What it had sent still reaches the client.
 * The relay may be freed in it. */
typedef void (*RelayLost)(Relay *relay, void *userdata);

/* guest_fd: a connected non-blocking socket, borrowed. *ret_client_fd: what the client gets, the caller's.
 */
int relay_new(
        sd_event *event, int guest_fd, RelayLost lost, void *userdata, Relay **ret, int *ret_client_fd);
/* Ends it: the client sees an end of file. */
Relay *relay_free(Relay *relay);
DEFINE_CLEANUP(Relay *, relay_free);

/* True if a part of what the client wrote has not reached the guest: the guest's end waits for the rest. */
bool relay_is_torn(const Relay *relay);
