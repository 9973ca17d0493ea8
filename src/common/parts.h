/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whose words a text is made of, piece by piece: a compiler's, the program's own, a debugger's or
 * sanitizer's, the agent's. What is rewritten for people is somebody's; what a program prints is not. */

#include "common/macro.h"

typedef enum Who {
        WHO_COMPILER, /* and linkers, and an interpreter that refuses a program */
        WHO_PROGRAM,
        WHO_DEBUGGER, /* and sanitizers */
        WHO_AGENT,
        WHO_UNKNOWN, /* nobody said */
        _WHO_MAX,
} Who;

/* "compiler"; NULL for WHO_UNKNOWN. */
const char *who_name(Who who);
/* Whose name it is, or WHO_UNKNOWN. */
Who who_from_name(const char *name);

/* So many pieces are told apart; all that is behind them counts as the program's. */
#define PARTS_MAX 1024

typedef struct Part {
        Who who;
        size_t size; /* bytes, never 0 */
} Part;

/* A zeroed one is a valid empty one: nobody said anything. */
typedef struct Parts {
        Part *list; /* two neighbours are never of the same */
        size_t n;
        size_t size; /* bytes of all */
        bool failed; /* memory was out; sticks */
} Parts;

void parts_done(Parts *parts);
#define _cleanup_parts_ _cleanup_(parts_done)

/* Appends a piece. */
void parts_add(Parts *parts, Who who, size_t size);
/* What the text has beyond the pieces, up to its size, is who's. */
void parts_extend(Parts *parts, Who who, size_t size);
void parts_append(Parts *parts, const Parts *other);
/* Shortens to size bytes; a longer size is ignored. */
void parts_truncate(Parts *parts, size_t size);
/* Replaces *to by *from and empties *from. */
void parts_move(Parts *to, Parts *from);

static inline int parts_error(const Parts *parts) {
        return parts->failed ? -ENOMEM : 0;
}

/* A walk through parts, forward alone. */
typedef struct PartsWalk {
        const Parts *parts;
        size_t i;     /* the piece */
        size_t begin; /* where it begins */
} PartsWalk;

/* Whose the byte at that place is; WHO_UNKNOWN behind all. No call may go back. */
Who parts_walk_who(PartsWalk *walk, size_t at);
/* Appends the pieces of the bytes from begin to end. */
void parts_walk_copy(PartsWalk *walk, size_t begin, size_t end, Parts *ret);
