/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Has each compiler and interpreter of a guest run once, so that a snapshot has them in memory. */

#include "common/text.h"

/* One of them has so long, cold and without KVM. */
#define WARM_USEC (90 * USEC_PER_SEC)

typedef struct WarmResult {
        unsigned tried, good;
        Text bad;     /* the languages that did not say hello, with a comma between them */
        Text trouble; /* why it did not go on; empty: it did */
} WarmResult;
void warm_result_done(WarmResult *result);

/* Runs the programs of a JSON file (name: { "file", "exec", "command", "code" }) in the machine, drained or
 * not: of languages that start the same program the first one. progress: says on stderr which is under way.
 * interrupt_fd: see interrupt.h; looked at between two of them. 0, also after trouble; -EINTR, or another
 * negative errno. */
int warm_guest(const char *machine, const char *file, int interrupt_fd, bool progress, WarmResult *result);

/* The word of a command that tells which program is started. *ret_size is its length; 0: there is none. */
const char *warm_program(const char *command, size_t *ret_size);
