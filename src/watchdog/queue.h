/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who waits for which machine, and whose turn it is: by nick, then by channel, whoever had a lease or an
 * earlier place when he came is after those who had not; then first come, first served. A waiter may name
 * several machines (a pool) and takes the first that is free. No I/O and no clock; times are CLOCK_MONOTONIC
 * in usec.
 *
 * Nick and channel are the client's word: this is fairness among people behind one bot. Where one is not
 * said it stands behind nobody. */

#include "common/macro.h"

/* So many of one nick may wait. */
#define QUEUE_NICK_MAX 3

typedef struct Waiter Waiter;
struct Waiter {
        char *sender;    /* unique name on the bus */
        char *wanted;    /* the machine or alias that was asked for */
        char **machines; /* names, NULL-terminated */
        char *nick;      /* NULL: not said */
        char *channel;
        uint64_t deadline_usec;
        bool is_operator; /* may have a drained machine too */
        void *userdata;   /* what is to be done when it is its turn */
        /* How many of its nick, and of its channel, are to have been served before, as if all took turns. */
        size_t nick_rank, channel_rank;
        bool served;
        Waiter *previous, *next;
};

typedef struct Queue {
        Waiter *first, *last; /* those who wait */
        Waiter *served;       /* those who have what they waited for */
} Queue;

/* Strings are copied; nick and channel may be NULL or "": not said. NULL without memory. */
Waiter *waiter_new(const char *sender, const char *wanted, const char *const *machines, const char *nick,
        const char *channel, uint64_t deadline_usec, void *userdata);
/* It is in no queue any more. */
Waiter *waiter_free(Waiter *waiter);
DEFINE_CLEANUP(Waiter *, waiter_free);

/* 0, or -EBUSY when max already wait for each of its machines, or QUEUE_NICK_MAX of its nick; the queue owns
 * it then, until it is removed. */
int queue_add(Queue *queue, Waiter *waiter, size_t max);
/* It has what it waited for, and counts for its nick and channel until it is removed. */
void queue_serve(Queue *queue, Waiter *waiter);
/* It has it no more: it is in front of all others. */
void queue_put_back(Queue *queue, Waiter *waiter);
/* Whether it waits or was served. The caller owns it afterwards. */
Waiter *queue_remove(Queue *queue, Waiter *waiter);
/* Of those who wait for the machine (operators: of the operators among them), the one whose turn it is, or
 * NULL. */
Waiter *queue_first(const Queue *queue, const char *machine, bool operators);
/* Of those who wait, the first one of that sender, or NULL. */
Waiter *queue_of_sender(const Queue *queue, const char *sender);
size_t queue_count(const Queue *queue, const char *machine);
/* The earliest deadline, USEC_INFINITY if nobody waits. */
uint64_t queue_deadline(const Queue *queue);
