/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How long one line's edits may compute, and how much text they may make: what is edited and how comes from
 * strangers. Processor time of the thread counts, so that a busy machine refuses nobody. */

#include <time.h>

#include "common/macro.h"

#define EDIT_BUDGET_USEC (250 * USEC_PER_MSEC)
#define EDIT_SIZE_MAX ((size_t)1 << 20)

#define EDIT_TOO_LONG "The edited code is too long."
#define EDIT_TOO_SLOW "This edit takes too long."

typedef struct Budget {
        uint64_t end_nsec;
        bool spent;
} Budget;

static inline uint64_t thread_time_nsec(void) {
        struct timespec ts;
        return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) < 0
                       ? 0
                       : (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}
static inline Budget budget_start(uint64_t usec) {
        return (Budget){ .end_nsec = thread_time_nsec() + usec * NSEC_PER_USEC };
}
/* True once the time is over; stays true. */
static inline bool budget_spent(Budget *budget) {
        if (!budget->spent)
                budget->spent = thread_time_nsec() > budget->end_nsec;
        return budget->spent;
}
