/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How far a declaration is read, and what is known of it by then. */

#include "snippet/pieces.h"

typedef struct Scan {
        const Reader *reader;
        Piece *piece;
        uint32_t i;      /* the next token */
        uint32_t params; /* the ( behind the last name, NO_TOKEN: none yet */
        uint32_t name;   /* that name */
        bool operators;  /* something stood there that no declaration's head has */
        bool body;       /* of a struct, class ... */
        bool brackets;   /* [...] stood there, maybe a lambda's */
        bool block;      /* braces with statements in them that are no function's body */
        bool words;      /* two words in a row */
        bool qualified;  /* the last name is A::b */
        bool initializer;
        bool template;
        bool trailing; /* behind -> of a function's type */
} Scan;

/* Reads the word at s->i and what belongs to it. */
void scan_word(Scan *s);
