/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What each of the jobs that run may have of the memory that they may have together. Each has its own limit,
 * and none that the others may not have left it: when jobs come, those with much are lowered, when they go,
 * raised again. So it is the one that exceeds its share which dies, whatever its memory is kept in. If only
 * the sum were limited, the kernel would look for the largest process, and what lies in a tmpfs or a memfd
 * is in none. */

#include "common/macro.h"

/* More jobs than ever run at once. */
#define MEMORY_SHARES_MAX 128

typedef struct MemoryShare {
        int key;        /* whose it is */
        uint64_t limit; /* bytes: its own */
        uint64_t now;   /* what it may have now */
} MemoryShare;

typedef struct MemoryShares {
        uint64_t all; /* bytes; 0: not limited */
        MemoryShare list[MEMORY_SHARES_MAX];
        size_t n;
} MemoryShares;

/* A job comes, or goes. What each may have now is divided anew. 0, or -E2BIG. */
int memory_shares_add(MemoryShares *shares, int key, uint64_t limit);
void memory_shares_remove(MemoryShares *shares, int key);
