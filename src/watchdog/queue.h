/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who waits for which machine: first come, first served. A waiter may name several machines (a pool) and
 * takes the first that is free. No I/O and no clock; times are CLOCK_MONOTONIC in usec. */

#include "common/macro.h"

typedef struct Waiter Waiter;
struct Waiter {
        char *sender;    /* unique name on the bus */
        char *wanted;    /* the machine or alias that was asked for */
        char **machines; /* names, NULL-terminated */
        uint64_t deadline_usec;
        void *userdata; /* what is to be done when it is its turn */
        Waiter *previous, *next;
};

typedef struct Queue {
        Waiter *first, *last;
} Queue;

/* Names are copied. NULL without memory. */
Waiter *waiter_new(const char *sender, const char *wanted, const char *const *machines,
        uint64_t deadline_usec, void *userdata);
/* It is in no queue any more. */
Waiter *waiter_free(Waiter *waiter);
DEFINE_CLEANUP(Waiter *, waiter_free);
bool waiter_wants(const Waiter *waiter, const char *machine);

/* 0, or -EBUSY when max already wait for each of its machines; the queue owns it then, until it is removed.
 */
int queue_add(Queue *queue, Waiter *waiter, size_t max);
/* Puts one back that was there, in front of all others. */
void queue_add_first(Queue *queue, Waiter *waiter);
/* The caller owns it afterwards. */
Waiter *queue_remove(Queue *queue, Waiter *waiter);
/* The first one that wants the machine, or NULL. */
Waiter *queue_first(const Queue *queue, const char *machine);
/* The first one of that sender, or NULL. */
Waiter *queue_of_sender(const Queue *queue, const char *sender);
size_t queue_count(const Queue *queue, const char *machine);
/* The earliest deadline, USEC_INFINITY if nobody waits. */
uint64_t queue_deadline(const Queue *queue);
