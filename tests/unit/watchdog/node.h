/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A host of libvirt's test driver, which really reverts, in the watchdog's process: each start of that finds
 * what the file says. */

#include "world.h"

/* libvirt's numbers of states. */
enum { NODE_RUNNING = 1, NODE_PAUSED = 3, NODE_SHUTOFF = 5, NODE_CRASHED = 6 };

/* Writes the file into the world's directory: domains of these names (ended by NULL) in that state, each
 * with a snapshot of that name, or, where it is NULL, none. */
void node_write(
        const World *world, const char *file, const char *const *names, int state, const char *snapshot);
/* The same with what the snapshots say of themselves. */
void node_write_described(const World *world, const char *file, const char *const *names, int state,
        const char *snapshot, const char *description);
