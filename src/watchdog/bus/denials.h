/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How often the log is told that a user was refused: the first time at once, then once in a while, with the
 * number of those that were not told. No I/O and no clock: times are CLOCK_MONOTONIC in usec. */

#include <sys/types.h>

#include "common/macro.h"

#define DENIALS_USEC (60 * USEC_PER_SEC)
/* Users that are remembered; the one who was told of longest ago makes room. */
#define DENIALS_MAX 16

typedef struct Denials {
        struct {
                uid_t uid;
                uint64_t told_usec; /* 0: free */
                unsigned untold;
        } users[DENIALS_MAX];
} Denials;

/* One more of that user: true if it is to be told, with the number of those before it that were not. */
bool denials_note(Denials *denials, uid_t uid, uint64_t now_usec, unsigned *ret_untold);
