/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The passport of libvirt's snapshots. It is kept in a snapshot's own description, which stays with it over
 * reverts and upgrades and goes when it goes; machine type, memory and CPU model are in its definition of
 * the domain, which libvirt keeps with it anyway. */

#include <libvirt/libvirt.h>

#include "passport/passport.h"

/* What a connection's hypervisor is now; blocks. What it does not tell is empty. */
void passport_now(virConnectPtr connection, Passport *ret);
/* Reads the passport from a snapshot's XML, formatsnapshot of libvirt. */
bool passport_of_snapshot(const char *xml, Passport *ret);
/* When it was taken: CLOCK_REALTIME in usec; 0: not told. */
uint64_t passport_snapshot_time(const char *xml);
