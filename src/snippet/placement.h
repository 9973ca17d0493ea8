/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the pieces of a snippet go: what may stand at the top level alone goes there, with all that it needs
 * of what was written before it; statements go into main(). Either keeps its order. */

#include "snippet/pieces.h"

typedef enum Place {
        PLACE_MAIN,
        PLACE_HEAD, /* before everything else: the directives and usings that a snippet begins with */
        PLACE_FILE,
        PLACE_SPLIT, /* a variable: declared at the top level, its value given in main() */
        PLACE_NONE,  /* nowhere: a ; too many */
        PLACE_BOTH,  /* a conditional directive, of whose pieces some go here and some there */
} Place;

typedef struct Placement {
        uint8_t *places; /* a Place for each piece */
        bool complete;   /* the user has a main() */
        bool main_class; /* in Java: in a class of his own */
        bool opened;     /* what is in main() was a block of the user's */
} Placement;
void placement_done(Placement *placement);
#define _cleanup_placement_ _cleanup_(placement_done)

/* A block that is all there is for main() is opened first. no_main: everything goes to the top level. 0 or
 * -ENOMEM. */
int placement_make(Pieces *pieces, bool no_main, Placement *ret);

/* The = of a declaration that can be split, or NO_TOKEN. */
uint32_t declaration_split(const Pieces *pieces, const Piece *piece);

/* Whether a comment stands between the piece before and this one. */
bool comment_between(const Source *source, size_t begin, size_t end);
