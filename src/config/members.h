/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The members of the configuration file as a table, and how each kind of value is read. */

#include "common/json.h"
#include "config/config.h"

/* Where mistakes go. */
typedef struct ConfigReader {
        const char *file;
        Text *errors; /* NULL: nobody asks */
        unsigned n_errors;
        bool out_of_memory;
} ConfigReader;

typedef enum MemberKind {
        MEMBER_STRING,    /* char *: not empty; a number is taken as it is written */
        MEMBER_PATH,      /* char *: absolute */
        MEMBER_URI,       /* char *: libvirt's */
        MEMBER_PORT,      /* uint16_t: 0 to 65535, also as a string of digits */
        MEMBER_UINT32,    /* uint32_t, likewise */
        MEMBER_COUNT,     /* unsigned */
        MEMBER_BYTES,     /* uint64_t */
        MEMBER_BOOLEAN,   /* bool */
        MEMBER_MODE,      /* unsigned: a string of octal digits */
        MEMBER_SECONDS,   /* uint64_t of usec: a number of seconds */
        MEMBER_WORD,      /* an enumeration, by the row's from_string */
        MEMBER_LIMITS,    /* JobLimits: an object of integers */
        MEMBER_GROUP,     /* an object of the rows of group, in the same structure */
        MEMBER_IGNORED,   /* PBot's, without a meaning here: said at debug level */
        MEMBER_ELSEWHERE, /* read by other code */
} MemberKind;

typedef struct Member {
        const char *name;
        MemberKind kind;
        size_t offset;
        const char *expected; /* completes "expected ..." */
        uint64_t min, max;    /* of numbers; of seconds in usec */
        bool nullable;        /* null means: none (NULL or 0) */
        bool zero;            /* 0 is taken too, though less than min */
        int (*from_string)(const char *word);
        const struct Member *group; /* ended by a row without name */
} Member;

/* Each ended by a row without a name. */
extern const Member config_members[];
extern const Member machine_members[];
extern const Member listener_members[];

/* Records "FILE:LINE: MEMBER: what". where: any value of the file, for its line; NULL: line 1. */
void config_mistake(ConfigReader *reader, const Json *where, const char *member, const char *format, ...)
        _printf_(4, 5);

/* Reads all members of object into target by the table. name: of the object itself, "" for the file's own.
 * Unknown and repeated members are mistakes. given, unless NULL: one flag a row, set where a member was
 * there. */
void members_read(ConfigReader *reader, const Json *object, const char *name, const Member *members,
        void *target, bool *given);

/* Replaces *to by a copy of string; without memory the reader says so. */
void config_set_string(ConfigReader *reader, char **to, const char *string);
