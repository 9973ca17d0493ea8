/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The channels of a domain through libvirt's streams (virDomainOpenChannel): nothing but libvirt's
 * connection is between this host and the guest's. Whoever opens one gets an end of a socket pair, as of any
 * other way; what is between that and the stream is here.
 *
 * Why each stream has a connection and a thread of its own. A send blocks when the guest does not read, even
 * on a stream that is to be non-blocking, and with it every call on its connection: what is behind another
 * guest, or a look or a revert that would mend this one, has to be elsewhere. And keepalive frees only one
 * of the threads that wait on a connection. So there is one. Were data and heartbeat on one connection, a
 * guest that is slow to take a large request could not be asked for its beat, and would be reverted for
 * that.
 *
 * Why libvirt's thread receives, and the other one only sends. Whatever the server sends is read from the
 * connection at once and kept without bound until somebody asks for it, even while a send blocks: so it is
 * asked for as soon as it is there, which never blocks. What the guest's user does not take waits in a
 * window of one frame; more than that is a stream that is given up, and what still comes is thrown away.
 *
 * Why the channel is only taken by force from ourselves. A stream is libvirt's lock on a channel: two who
 * were both told to look after a machine cannot both have its guest. After a lost link the far side takes
 * 28 s to let go of it; for less than that it is ours to take. */

#include "watchdog/libvirt/hypervisor.h"
#include "watchdog/transport/channel-opener.h"

/* What comes for a user that does not read: at most a frame. */
#define STREAM_WINDOW_MAX ((size_t)8 << 20)
/* So many threads of one channel may be on their way, stuck ones included. */
#define STREAMS_MAX 3
/* For so long after the end of a connection was noticed, which takes 8 s at most, no one but the one that
 * lost it can have the channel. */
#define STREAM_FORCE_USEC (15 * USEC_PER_SEC)

/* A connection over which nothing comes for 2 s, four times, is broken; daemons say something every 5 s,
 * even those that stand still. */
#define STREAM_KEEPALIVE_SEC 2
#define STREAM_KEEPALIVE_COUNT 3

typedef struct Streams Streams;
/* Those of one domain; the hypervisor must outlive it. 0 or negative errno. */
int streams_new(Hypervisor *hypervisor, const char *domain, Streams **ret);
ChannelOpener *streams_opener(Streams *streams);
/* What is open goes on until its user closes it. No opening may be left that was not given up. */
Streams *streams_free(Streams *streams);
DEFINE_CLEANUP(Streams *, streams_free);
