/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pumps a byte stream between a guest and the holder of a lease, so that taking the lease back is a close:
 * the guest's connection stays with the watchdog. What is on its way is bounded in both directions; a side
 * that does not read stops the other one, and nobody else.
 *
 * Why the client does not get the guest's own descriptor. What was passed to another process cannot be taken
 * back, and it could be kept, or passed on. And a channel of QEMU's is a connection for the guest's whole
 * life, of many leases: closing it between two would lose what is under way, and tell the guest that its
 * host is gone. Over vsock, where each lease has a connection of its own, and in the lanes of a channel
 * (mux.h) it is not needed.
 *
 * The two ends are not treated alike, for they mean different things. When the guest hangs up, what it said
 * is an answer that somebody waits for: the client still gets all of it, and then the end of file. When the
 * client goes, what it said is a request that may be running: the rest still goes out, while what the guest
 * says to that is read and thrown away. It must not lie there for the next client, and a guest that is not
 * read would stop. Whether the guest was left with half a request only the relay can see, in its buffer and
 * in the socket.
 *
 * Nothing is read for which there is no room, so memory is bounded without a word being lost, and the
 * pressure reaches the one who causes it. A source that has nothing to wait for is switched off: the kernel
 * reports a hang-up whether it was asked for or not, again and again. */

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
