/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a typed line asks of the history. It becomes steps, in the order in which they were typed; nothing is
 * read or changed here. */

#include "common/text.h"

/* A part of the typed line; data is NULL where there is none. */
typedef struct Slice {
        const char *data;
        size_t size;
} Slice;

typedef enum StepType {
        STEP_PREPEND,
        STEP_APPEND,
        STEP_SUBSTITUTE,
        STEP_REPLACE,
        STEP_RUN, /* scanning ends with these three */
        STEP_DIFF,
        STEP_REFUSE,
} StepType;

typedef enum RunWord {
        RUN_AGAIN,
        RUN_RUN,
        RUN_PASTE,
} RunWord;

/* Which occurrence a replacement means: 1 to 10, or one of these. */
#define NUMBER_LAST (-1)
#define NUMBER_ALL 0

typedef struct Step {
        StepType type;
        Slice text; /* STEP_PREPEND, STEP_APPEND: what; STEP_SUBSTITUTE: the pattern; STEP_REPLACE: from */
        Slice to;
        int number;
        RunWord word;
        bool ignore_case, global;
} Step;

typedef struct Command {
        Slice copy; /* whose newest code is copied */
        Slice list; /* whose history show and diff mean, if not the own one */
        bool show;  /* the newest code is the answer, nothing else counts */
        size_t undo;
        Step *steps;
        size_t n_steps, n_allocated;
        Text refusal; /* of the STEP_REFUSE */
} Command;
void command_done(Command *command);
#define _cleanup_command_ _cleanup_(command_done)

/* options: see edit_apply(). 0 or -ENOMEM. The slices point into code. */
int command_parse(const char *code, size_t size, bool options, Command *ret);
/* False if the line is no command at all, but new code. */
bool command_given(const Command *command);
