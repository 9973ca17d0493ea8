/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/notes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

typedef struct Record {
        uint32_t key; /* 1 + stream + who * streams; 0: none */
        uint32_t unused;
        uint64_t size;
} Record;

/* Of both streams, which take turns. */
#define RECORDS_MAX ((size_t)2 * PARTS_MAX)
#define FILE_SIZE (RECORDS_MAX * sizeof(Record))

int notes_make(void) {
        _cleanup_close_ int fd = memfd_create("notes", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        if (fd < 0 || ftruncate(fd, (off_t)FILE_SIZE) < 0 ||
                fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int notes_read(int fd, Parts streams[_NOTES_MAX]) {
        Record records[64];
        size_t offset = 0;
        ssize_t n;

        while (offset < FILE_SIZE && (n = pread(fd, records, sizeof(records), (off_t)offset)) > 0) {
                for (size_t i = 0; i < (size_t)n / sizeof(Record); i++) {
                        uint32_t key = records[i].key - 1;

                        if (records[i].key == 0 || key >= (uint32_t)_NOTES_MAX * WHO_UNKNOWN ||
                                records[i].size > SIZE_MAX / 2 / RECORDS_MAX)
                                return 0;
                        parts_add(&streams[key % _NOTES_MAX], (Who)(key / _NOTES_MAX),
                                (size_t)records[i].size);
                        if (streams[key % _NOTES_MAX].failed)
                                return -ENOMEM;
                }
                offset += (size_t)n / sizeof(Record) * sizeof(Record);
        }
        return 0;
}

void notes_open(NotesWriter *writer, int fd) {
        struct stat st;

        *writer = (NotesWriter){ .fd = -EBADF };
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != (off_t)FILE_SIZE ||
                fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
                return;
        writer->fd = fd;
}

static void write_record(NotesWriter *writer) {
        (void)pwrite(writer->fd, &(Record){ .key = writer->key, .size = writer->size }, sizeof(Record),
                (off_t)writer->offset);
}

void notes_add(NotesWriter *writer, NotesStream stream, Who who, size_t size) {
        uint32_t key = 1 + (uint32_t)stream + (uint32_t)who * _NOTES_MAX;

        if (writer->fd < 0 || size == 0)
                return;
        if (writer->key != key) {
                if (writer->late)
                        write_record(writer);
                writer->offset += writer->key > 0 ? sizeof(Record) : 0;
                writer->key = key;
                writer->size = 0;
        }
        writer->size += size;
        writer->late = who == WHO_PROGRAM;
        if (!writer->late)
                write_record(writer);
}
