/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who asks for a machine, as he says himself. */

#include "common/macro.h"

/* Of each text so much is kept. */
#define ASKER_SIZE_MAX 128

typedef struct Asker {
        char *nick; /* NULL: not said, as with the others */
        char *channel;
        char *language;
        uint32_t pid;     /* 0: not known */
        bool is_operator; /* who may have a drained machine too, and longer */
} Asker;
void asker_done(Asker *asker);

/* Replaces one text of it by a copy that is fit for a log: in whole characters, none of them a control. 0 or
 * -ENOMEM. */
int asker_set(char **to, const char *text);
/* Replaces what *to is. 0, or -ENOMEM with nothing of the old one left. */
int asker_copy(Asker *to, const Asker *from);
