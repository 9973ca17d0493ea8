/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* So many may do something at a time; the others wait in a row. */

#include "common/macro.h"

typedef struct Turn Turn;

typedef struct Turns {
        unsigned left; /* more that may */
        Turn *first;   /* of those who wait */
} Turns;

/* Zeroed but for what its owner sets: turns, come and userdata. */
struct Turn {
        Turns *turns;
        /* It has its turn now; called from another's turn_end(), so it only takes a note. */
        void (*come)(void *userdata);
        void *userdata;
        Turn *next;
        bool has, waits;
};

/* True if it has its turn, at once or since come() was called; else it waits for it. */
bool turn_ask(Turn *turn);
/* It is done, or does not want it any more; of one that has no turn nothing. */
void turn_end(Turn *turn);
