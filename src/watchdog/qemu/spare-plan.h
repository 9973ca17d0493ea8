/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is to be done about a machine's spares: where the next one is made and when, which one is taken. No
 * I/O and no clock: what happened comes in, with the time (CLOCK_MONOTONIC, usec).
 *
 * A machine has one place more than spares, all of them alike: in one is the guest in use, its own. To take
 * a spare is to call another place the machine's own; the one that was is then empty, and the next spare is
 * made there.
 *
 * What does not work is not repeated at once: after each failure in a row making waits twice as long. A row
 * ends when a spare was taken, or was good for a while; not when one was made, or one that dies as soon as
 * it is ready would be made again for ever. */

#include "common/macro.h"
#include "config/config.h"

#define SPARE_PLACES_MAX (MACHINE_SPARES_MAX + 1)
#define SPARE_BACKOFF_MAX_USEC (60 * USEC_PER_SEC)

typedef enum SparePlace {
        SPARE_PLACE_EMPTY,
        SPARE_PLACE_MAKING,
        SPARE_PLACE_READY,
} SparePlace;

typedef struct SparePlan {
        unsigned wanted; /* spares */
        unsigned own;    /* the place of the guest in use */
        SparePlace places[SPARE_PLACES_MAX];
        uint64_t ready_usec[SPARE_PLACES_MAX]; /* since when it is */
        unsigned row;                          /* failures */
        uint64_t retry_usec;                   /* nothing is made before */
        uint64_t failures;                     /* in all */
} SparePlan;

/* wanted: MACHINE_SPARES_MAX at most. */
void spare_plan_init(SparePlan *plan, unsigned wanted);
/* Where the next one is to be made now; -1: nowhere. */
int spare_plan_next(const SparePlan *plan, uint64_t now_usec);
/* When that may be otherwise by time alone; USEC_INFINITY: it will not. */
uint64_t spare_plan_deadline(const SparePlan *plan, uint64_t now_usec);
void spare_plan_making(SparePlan *plan, unsigned place);
void spare_plan_made(SparePlan *plan, unsigned place, uint64_t now_usec);
/* What was made there, or was ready, is no good. True if it is the first of a row, of which people are to be
 * told. */
bool spare_plan_failed(SparePlan *plan, unsigned place, uint64_t now_usec);
/* It is given up, and nobody is to blame. */
void spare_plan_void(SparePlan *plan, unsigned place);
/* The one that has been ready for longest; -1: none is. */
int spare_plan_first(const SparePlan *plan);
/* Some are being made. */
bool spare_plan_is_making(const SparePlan *plan);
/* It is the machine's own from now on. */
void spare_plan_taken(SparePlan *plan, unsigned place);
unsigned spare_plan_ready(const SparePlan *plan);
