/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A program under the debugger and the debugger write to the same two streams. Whose the bytes are the
 * debugger notes beside them: records in a file in memory that the agent made and that cannot grow. A note
 * may be missing when both were killed; a program that finds the file can only mislead about itself. */

#include "common/parts.h"

/* Where a step that notes finds the file. */
#define NOTES_FD 3

typedef enum NotesStream {
        NOTES_OUT,
        NOTES_ERR,
        _NOTES_MAX,
} NotesStream;

/* Makes the file: a descriptor, close-on-exec, or a negative errno. */
int notes_make(void);

/* Reads what was noted of each stream; what is no note ends it. 0 or -ENOMEM. */
int notes_read(int fd, Parts streams[_NOTES_MAX]);

typedef struct NotesWriter {
        int fd; /* -EBADF: nobody wants to know */
        uint64_t offset;
        uint32_t key; /* of the last record, which grows */
        uint64_t size;
        bool late; /* the record is not written: nobody misses it, for what is not noted is the program's */
} NotesWriter;

/* Takes a file over; what is no such file is not written to. */
void notes_open(NotesWriter *writer, int fd);
/* The next size bytes of a stream are who's. */
void notes_add(NotesWriter *writer, NotesStream stream, Who who, size_t size);
