/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/storage-room.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/log.h"

/* Files in the directory, so that many small keys cannot use up the inodes. */
#define FILES_MAX 65536

typedef struct File {
        char *name;
        struct timespec used;
        uint64_t size;
} File;

typedef struct Files {
        File *list;
        size_t n, allocated;
        uint64_t total;
} Files;

static void files_done(Files *files) {
        for (size_t i = 0; i < files->n; i++)
                free(files->list[i].name);
        free(files->list);
}

static int files_add(Files *files, const char *name, const struct stat *st) {
        if (files->n == files->allocated) {
                size_t allocate = MAX(files->allocated * 2, (size_t)64);
                File *list = reallocarray(files->list, allocate, sizeof(*list));
                if (!list)
                        return -ENOMEM;
                files->list = list;
                files->allocated = allocate;
        }

        File file = { .name = strdup(name), .used = st->st_mtim, .size = (uint64_t)st->st_size };
        if (!file.name)
                return -ENOMEM;
        files->list[files->n++] = file;
        files->total += file.size;
        return 0;
}

static int files_read(int dir_fd, const char *keep, Files *files) {
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

        if (!dir) {
                r = -errno;
                fd_close(fd);
                return r;
        }
        for (const struct dirent *entry; r >= 0 && (entry = readdir(dir));) {
                struct stat st;
                if (!streq(entry->d_name, keep) &&
                        fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) >= 0 && S_ISREG(st.st_mode))
                        r = files_add(files, entry->d_name, &st);
        }
        closedir(dir);
        return r;
}

static int by_age(const void *a, const void *b) {
        const File *x = a, *y = b;

        if (x->used.tv_sec != y->used.tv_sec)
                return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
        return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

/* A new content belongs to who has locked the key's file; so does that file itself. */
static bool remove_unused(int dir, const char *name) {
        char key[NAME_MAX + 1];
        size_t size = strlen(name), suffix = strlen(STORAGE_NEW);

        if (size > suffix && streq(name + size - suffix, STORAGE_NEW))
                size -= suffix;
        memcpy(key, name, size);
        key[size] = '\0';

        _cleanup_close_ int fd = openat(dir, key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd >= 0 ? flock(fd, LOCK_EX | LOCK_NB) < 0 : errno != ENOENT)
                return false;
        return unlinkat(dir, name, 0) >= 0;
}

int storage_make_room(int dir, const char *keep, uint64_t size, uint64_t total_bytes) {
        _cleanup_(files_done) Files files = {};
        size_t removed = 0;

        if (size > total_bytes)
                return -EDQUOT;
        int r = files_read(dir, keep, &files);
        if (r < 0)
                return r;

        uint64_t total = files.total, room = total_bytes - size;
        if (total <= room && files.n < FILES_MAX)
                return 0;
        qsort(files.list, files.n, sizeof(File), by_age);
        for (size_t i = 0; i < files.n && (total > room || files.n - removed >= FILES_MAX); i++)
                if (remove_unused(dir, files.list[i].name)) {
                        total -= files.list[i].size;
                        removed++;
                }
        if (removed > 0)
                log_notice(
                        "The storage is full: what %zu keys kept, the longest unused, was removed, %" PRIu64
                        " bytes. See \"storage\" in pbotvm.json(5).",
                        removed, files.total - total);
        return total > room || files.n - removed >= FILES_MAX ? -EDQUOT : 0;
}
