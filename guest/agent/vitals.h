/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a revert leaves wrong in a guest: its clock stands at the snapshot's time, and its random numbers are
 * those that another revert of the same snapshot draws. Both are put right before a request's job. */

#include "common/request.h"

typedef struct Vitals {
        int64_t date;        /* of the last request */
        uint64_t generation; /* of the last request that had one */
        bool seeded;         /* some entropy of the host has been mixed in */
} Vitals;

/* Whether a clock at now_usec (since 1970) is to be set, if the host said date (whole seconds) at most
 * waited_usec ago: when it is off by more than a second, either way. False for a date that no host can mean.
 */
bool clock_is_off(uint64_t now_usec, int64_t date, uint64_t waited_usec);

/* Of busy_usec, for which others' jobs have run without a pause, how much the request may have waited since
 * its date: nothing if it was made before the one that was answered before it. */
uint64_t vitals_waited_usec(const Vitals *vitals, const Request *request, uint64_t busy_usec);

/* Whether the request's entropy is to be mixed in: its generation is another than the last, or it has none.
 */
bool entropy_is_due(const Vitals *vitals, const Request *request);

/* Sets the clock and reseeds the kernel's random pool as far as due. busy_usec: how long others' jobs have
 * run without a pause. Failures are logged; the job is run regardless. */
void vitals_apply(Vitals *vitals, const Request *request, uint64_t busy_usec);
