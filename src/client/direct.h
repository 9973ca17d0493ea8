/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* pbotvm-exec and the variables with which PBot's vm-exec is told of another guest: PBOTVM_SERIAL,
 * PBOTVM_CID, PBOTVM_DOMAIN. */

#include "config/config.h"

typedef enum DirectResult {
        DIRECT_NONE,    /* no such variable is set: the default machine */
        DIRECT_MACHINE, /* *ret_machine is configured so: it is to be leased */
        DIRECT_CONNECT, /* the guest of *ret_machine, which is not configured, is to be connected to */
} DirectResult;

/* configured: without the environment; effective: with it. A DirectResult, or -ENOENT for a domain that no
 * machine has. The machine is one of the two configurations'. */
int direct_decide(const Config *configured, const Config *effective, char *const *environment,
        const MachineConfig **ret_machine);

/* Connects to a machine's guest: vsock if it has a CID, else serial over TCP. A descriptor or negative
 * errno. */
int direct_connect(const MachineConfig *machine, uint64_t deadline);
