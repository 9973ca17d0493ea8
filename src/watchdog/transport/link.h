/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way to one machine's agent: finds a transport on which the agent answers a probe (channel, vsock,
 * serial; the one that worked is tried first), keeps it, proves it again when asked to, and hands it to
 * lease holders.
 *
 * A byte stream is one connection, kept for good; what comes on it unasked is thrown away. Over a channel,
 * by its socket or by a stream of libvirt's, whose agent understands lanes (common/lane.h) each lease and
 * each probe has one; over vsock each is a connection of its own. */

#include "common/frame.h"
#include "watchdog/machine.h"
#include "watchdog/transport/transport.h"

/* A probe of a guest that is known to work, or a third of the time in which its beat is lost, where that is
 * longer; the first one of all has half of it, since it may get lost. */
#define LINK_PROBE_USEC (3 * USEC_PER_SEC)
/* The ways are tried again at this pace, the first twenty times (a revert takes a socket away for 0.2 s), */
#define LINK_RETRY_FAST_USEC (100 * USEC_PER_MSEC)
/* and later. */
#define LINK_RETRY_SLOW_USEC (1 * USEC_PER_SEC)
/* More than this, unasked, between two leases is a guest that breaks the protocol. */
#define LINK_UNASKED_MAX ((size_t)1 << 20)
/* For so long a way that works is preferred to those that come before it. */
#define LINK_REMEMBER_USEC (600 * USEC_PER_SEC)

typedef struct Link Link;
typedef struct Strand Strand;

typedef struct LinkHooks {
        /* What is known of the way changed, or was confirmed. */
        void (*fact)(Link *link, LinkFact fact, void *userdata);
        /* Something came unasked on a byte stream, maybe a part of an old reply. */
        void (*unasked)(Link *link, void *userdata);
        /* The guest broke the protocol: LINK_UNASKED_MAX was passed, or it did not keep to its lanes. how:
         * in words. */
        void (*misbehaved)(Link *link, const char *how, void *userdata);
        void *userdata;
} LinkHooks;

/* config is borrowed as long as the link lives, and nothing known yet of the domain. */
int link_new(sd_event *event, const MachineConfig *config, LinkHooks hooks, Link **ret);
/* No strand may be left. */
Link *link_free(Link *link);
DEFINE_CLEANUP(Link *, link_free);

/* Who opens streams, before the link is started; it must outlive it. NULL, as at first: nobody. */
void link_set_opener(Link *link, ChannelOpener *opener);
/* Begins to look for a way, unless that was begun. */
void link_start(Link *link, Framing framing);
/* The same, with a connection to the channel whose agent has just answered; lanes: it understands them. The
 * descriptor is the link's. Only of a link that is stopped; fact() is called. */
void link_adopt(Link *link, Framing framing, int fd, bool lanes);
/* Closes everything but strands; fact() is not called. */
void link_stop(Link *link);
/* What is known of the domain's own lines. If that changes the ways, the link is stopped, and told so by
 * true. No strand may be left. */
bool link_set_lines(Link *link, const MachineConfig *config, const DomainLines *lines);
/* Proves again that the agent answers; does nothing while a probe runs or a strand is open on a byte stream
 * without lanes. */
void link_probe(Link *link);
/* True if several strands may be open at once. */
bool link_is_wide(const Link *link);
/* The way that works, TRANSPORT_AUTO if none does. */
TransportKind link_transport(const Link *link);

/* One lease's share of the link. done is called once, from the loop, with a descriptor for the client (the
 * callee's) or a negative errno: -EAGAIN if something unasked lies on the byte stream just now. */
typedef void (*StrandDone)(Strand *strand, int fd, void *userdata);
int strand_new(Link *link, StrandDone done, void *userdata, Strand **ret);
/* Takes it back: the client's descriptor is at its end. Returns true if the guest was left with a part of a
 * request. */
bool strand_close(Strand *strand);
