/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names that both a program and the headers before it declare. The program's must win: the headers' one is
 * hidden while they are read, but for functions of C++, which are overloads unless they have the same
 * parameters, which the compiler finds; there the names of std that the program uses are taken one by one.
 */

#include "snippet/pieces.h"

typedef struct Clashes {
        bool any;        /* the program declares one at its top level, or a friend by a template */
        bool any_std;    /* one of namespace std */
        bool needs;      /* it uses one that it does not declare anywhere */
        bool replaces;   /* it defines a type of namespace std there: no header can stand beside it */
        bool objects;    /* something else than a function has the name of one of C */
        Text hidden;     /* those of C that it declares at its top level, each with a NUL behind; in C++ only
                          * what can be hidden and is no function */
        Text overloaded; /* in C++, of what can be hidden the functions, likewise */
        Text classes;    /* those of either that it has for a class, likewise */
        Text needed_std; /* those of std that it uses without std::, likewise; C++ alone */
} Clashes;
void clashes_done(Clashes *clashes);
#define _cleanup_clashes_ _cleanup_(clashes_done)

/* 0 or -ENOMEM. */
int clashes_find(const Pieces *pieces, Clashes *ret);
