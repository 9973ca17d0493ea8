/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lease() and Release() of org.pbot.VM1, which hands out a descriptor that leads to a guest. */

#include <systemd/sd-bus.h>

#include "common/text.h"
#include "config/config.h"
#include "handler/verdict.h"

/* Who asks, for the watchdog's queue and log. */
typedef struct LeaseAsk {
        const char *machine; /* or an alias */
        const char *nick, *channel, *language;
        bool is_operator;  /* who may have a drained machine too */
        uint64_t deadline; /* of the waiting, CLOCK_MONOTONIC usec */
        int client_fd;     /* the waiting ends when it is reset; -EBADF: none */
} LeaseAsk;

typedef struct Lease {
        int fd; /* -EBADF once it is given back */
        char *id;
        char *machine;
        char *transport;
        GuestKind guest;
        uint64_t generation;
        uint64_t timeout_usec;
        uint64_t since; /* when it was got, CLOCK_MONOTONIC usec: the time limit runs from here */
} Lease;

#define LEASE_INIT ((Lease){ .fd = -EBADF })
void lease_done(Lease *lease);
#define _cleanup_lease_ _cleanup_(lease_done)

/* Opens the bus without waiting for it; calls made on it are queued. 0 or negative errno. */
int lease_open_bus(sd_bus **ret);

/* Waits for a lease. Returns 1 with *ret, or 0 with *verdict (and, if that is VERDICT_REFUSED, the client's
 * text in *message), or negative errno. A watchdog that goes away while one waits is asked again when it is
 * back, and one that systemd is starting when it is there; one that is stopped is not waited for. */
int lease_take(sd_bus *bus, const LeaseAsk *ask, Lease *ret, Verdict *verdict, Text *message);

/* Gives the lease back and says how it went. Only sent here: lease_settle() waits for it, so that the client
 * has its answer before. 0 or negative errno. */
int lease_release(sd_bus *bus, Lease *lease, Verdict verdict);
/* Waits until all that was sent is with the bus daemon. 0 or negative errno. */
int lease_settle(sd_bus *bus, uint64_t deadline);
