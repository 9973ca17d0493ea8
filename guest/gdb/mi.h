/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The lines that gdb writes in its machine interface, version 3, as trees. */

#include "common/text.h"

typedef enum MiKind {
        MI_RESULT = '^', /* the answer to a command */
        MI_EXEC = '*',   /* the program runs, or stopped */
        MI_STATUS = '+',
        MI_NOTIFY = '=',
        MI_CONSOLE = '~', /* text of a console command */
        MI_TARGET = '@',
        MI_LOG = '&',
        MI_PROMPT = '(',
} MiKind;

typedef enum MiType {
        MI_STRING,
        MI_TUPLE,
        MI_LIST,
} MiType;

typedef struct MiValue {
        MiType type;
        char *name;            /* NULL in a list of plain values */
        Text text;             /* of a string; may hold NUL */
        struct MiValue *items; /* of a tuple or a list */
        size_t n;
} MiValue;

typedef struct MiRecord {
        MiKind kind;
        unsigned token;  /* of the command that is answered, 0: none */
        char *class;     /* "done", "error", "stopped"... NULL for streams and the prompt */
        MiValue results; /* a tuple */
        Text stream;     /* the text of a stream record */
} MiRecord;

MiRecord *mi_record_free(MiRecord *record);
DEFINE_CLEANUP(MiRecord *, mi_record_free);
#define _cleanup_mi_record_ _cleanup_(mi_record_freep)

/* Parses one line, without its newline. 0, -EBADMSG (not of the interface, or nested more than 32 deep), or
 * -ENOMEM. */
int mi_parse(const char *line, size_t size, MiRecord **ret);

/* The member of that name, or NULL; value may be NULL. */
const MiValue *mi_member(const MiValue *value, const char *name);
/* The text of a string member; NULL if there is none. */
const char *mi_text(const MiValue *value, const char *name);
