/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A round trip: over libvirt's thread, then over a worker of each connection, then back here. It proves that
 * all of them still turn, where a tick of the loop alone would prove nothing. */

#include "watchdog/libvirt/hypervisor.h"

typedef struct RoundTrip RoundTrip;
/* done is called once, from the loop, at the end of it; never if a worker is stuck. */
int round_trip_new(LibvirtThread *thread, Hypervisor *const *hypervisors, size_t n_hypervisors,
        void (*done)(void *userdata), void *userdata, RoundTrip **ret);
/* A connection is given up: the trip goes on without it. NULL: there is no trip. */
void round_trip_leave_out(RoundTrip *trip, const Hypervisor *hypervisor);
/* done will not be called. NULL is fine. */
void round_trip_forget(RoundTrip *trip);
