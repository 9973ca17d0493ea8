/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory-shares.h"

/* Below, a job cannot even start its shell: then the sum is for the kernel to see to. */
#define SHARE_MIN ((uint64_t)16 << 20)

/* The most that each may have so that all fit: who has a smaller limit of his own leaves the rest to others.
 */
static uint64_t level(const MemoryShares *shares) {
        uint64_t rest = shares->all, level = 0;
        size_t left = shares->n;

        for (bool changed = true; changed && left > 0;) {
                uint64_t next = rest / left;
                changed = false;
                for (size_t i = 0; i < shares->n; i++) {
                        uint64_t limit = shares->list[i].limit;
                        if (limit > level && limit <= next) {
                                rest -= limit;
                                left--;
                                changed = true;
                        }
                }
                level = next;
        }
        return left > 0 ? level : UINT64_MAX;
}

static void divide(MemoryShares *shares) {
        uint64_t most = shares->all == 0 ? UINT64_MAX : MAX(level(shares), SHARE_MIN);

        for (size_t i = 0; i < shares->n; i++)
                shares->list[i].now = MIN(shares->list[i].limit, most);
}

int memory_shares_add(MemoryShares *shares, int key, uint64_t limit) {
        if (shares->n >= ELEMENTSOF(shares->list))
                return -E2BIG;
        shares->list[shares->n++] = (MemoryShare){ .key = key, .limit = limit };
        divide(shares);
        return 0;
}

void memory_shares_remove(MemoryShares *shares, int key) {
        for (size_t i = 0; i < shares->n; i++)
                if (shares->list[i].key == key) {
                        shares->list[i] = shares->list[--shares->n];
                        break;
                }
        divide(shares);
}
