/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a snapshot was made with and QEMU itself does not check when it loads it. It is kept in the
 * snapshot's own description, which stays with it over reverts and upgrades and goes when it goes; machine
 * type, memory and CPU model are in its definition of the domain, which libvirt keeps with it anyway. */

#include <libvirt/libvirt.h>

#include "common/text.h"

/* Empty where it is not known. */
typedef struct Passport {
        char emulator[32]; /* versions: "7.2.22" */
        char libvirt[32];
        char cpu[64]; /* the host's, as libvirt names it */
} Passport;

/* What a connection's hypervisor is now; blocks. What it does not tell is empty. */
void passport_now(virConnectPtr connection, Passport *ret);
/* Appends it as one line, without markup. */
void passport_write(const Passport *passport, Text *text);
/* Reads such a line: false if it is none (NULL is none). */
bool passport_read(const char *line, Passport *ret);
/* The same from a snapshot's XML, formatsnapshot of libvirt. */
bool passport_of_snapshot(const char *xml, Passport *ret);
/* When it was taken: CLOCK_REALTIME in usec; 0: not told. */
uint64_t passport_snapshot_time(const char *xml);
/* Appends it for people, what is known of it: "QEMU 7.2.22, libvirt 9.0.0, CPU EPYC". */
void passport_show(const Passport *passport, Text *text);
