/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/storage.h"

#include <fcntl.h>
#include <stdio.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/io.h"
#include "handler/storage-room.h"

/* Bytes of a file name, less the suffixes. */
#define NAME_SIZE_MAX 240
#define POLL_USEC (20 * USEC_PER_MSEC)

struct Storage {
        int dir;
        int file;      /* locked */
        bool replaced; /* the name leads to another file than that */
        char *name;
        uint64_t key_bytes;
        uint64_t total_bytes;
};

/* A key that kept nothing leaves no file behind, or any client could fill the directory. Those who wait for
 * the lock of the removed file notice: lock_current(). */
static void remove_if_empty(const Storage *storage) {
        struct stat st;

        if (storage->file >= 0 && !storage->replaced && fstat(storage->file, &st) >= 0 && st.st_size == 0)
                (void)unlinkat(storage->dir, storage->name, 0);
}

Storage *storage_free(Storage *storage) {
        if (!storage)
                return NULL;
        remove_if_empty(storage);
        fd_close(storage->file);
        fd_close(storage->dir);
        free(storage->name);
        free(storage);
        return NULL;
}

/* A file name for any key: there is no dot at its begin and no slash. */
static int name_of_key(const char *key, Text *name) {
        if (isempty(key) || !text_append_escaped(name, key, "-_", NAME_SIZE_MAX))
                return -ENAMETOOLONG;
        text_append_string(name, ".tar");
        return text_error(name);
}

static int open_dir(const char *state_dir) {
        _cleanup_close_ int state = open(state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (state < 0)
                return -errno;
        if (mkdirat(state, "storage", 0700) < 0 && errno != EEXIST)
                return -errno;
        int dir = openat(state, "storage", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        return dir < 0 ? -errno : dir;
}

int storage_open(
        const char *state_dir, const char *key, uint64_t key_bytes, uint64_t total_bytes, Storage **ret) {
        _cleanup_text_ Text name = {};
        _cleanup_(storage_freep) Storage *storage = calloc(1, sizeof(*storage));

        if (!storage)
                return -ENOMEM;
        storage->dir = storage->file = -EBADF;
        storage->key_bytes = key_bytes;
        storage->total_bytes = total_bytes;

        int r = name_of_key(key, &name);
        if (r >= 0)
                r = text_steal(&name, &storage->name, NULL);
        if (r >= 0)
                r = storage->dir = open_dir(state_dir);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(storage);
        return 0;
}

/* Opens and tries to lock the key's file: 1, 0 if another has it, or negative errno. A lock on a file that
 * was replaced in between is worth nothing: its name leads to another one. */
static int lock_current(Storage *storage) {
        _cleanup_close_ int fd = openat(
                storage->dir, storage->name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
        struct stat ours, named;

        if (fd < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
        if (fstat(fd, &ours) < 0)
                return -errno;
        if (fstatat(storage->dir, storage->name, &named, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (ours.st_dev != named.st_dev || ours.st_ino != named.st_ino)
                return 0;
        storage->file = TAKE_FD(fd);
        return 1;
}

/* flock() has no time limit and would not see the client go, so it is tried again and again. */
static int lock_wait(Storage *storage, int client_fd, uint64_t deadline) {
        for (;;) {
                int r = lock_current(storage);
                if (r != 0)
                        return r < 0 ? r : 0;

                uint64_t now = now_monotonic();
                if (now >= deadline)
                        return -ETIMEDOUT;
                r = io_wait(client_fd, 0, MIN(deadline, now + POLL_USEC));
                if (r > 0)
                        return -ECANCELED;
                if (r != -ETIMEDOUT)
                        return r;
        }
}

static int read_all(int fd, uint64_t max, Text *content) {
        text_clear(content);
        for (;;) {
                char *p = text_reserve(content, 65536);
                if (!p)
                        return -ENOMEM;
                ssize_t n = read(fd, p, 65536);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                content->size += (size_t)n;
                if (content->size > max)
                        return -EFBIG;
        }
}

int storage_lock(Storage *storage, int client_fd, uint64_t deadline, Text *content) {
        int r = lock_wait(storage, client_fd, deadline);
        if (r < 0)
                return r;

        /* What was longest not used goes first when there is no room. */
        (void)futimens(storage->file, NULL);
        /* The cap may have been lowered since: what is there is given, up to a bound of any reply. */
        return read_all(storage->file, MAX(storage->key_bytes, (uint64_t)4 << 20), content);
}

static int write_new(Storage *storage, const char *name, const Text *content) {
        _cleanup_close_ int fd =
                openat(storage->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;

        int r = io_write(fd, text_string(content), content->size, USEC_INFINITY);
        if (r < 0)
                return r;
        /* A crash of the host must leave the old content or the new one. */
        return fdatasync(fd) < 0 ? -errno : 0;
}

static int remove_content(Storage *storage) {
        if (unlinkat(storage->dir, storage->name, 0) < 0 && errno != ENOENT)
                return -errno;
        storage->replaced = true;
        return 0;
}

int storage_replace(Storage *storage, const Text *content) {
        _cleanup_text_ Text name = {};

        if (content->size > storage->key_bytes)
                return -EFBIG;
        if (content->size == 0)
                return remove_content(storage);
        int r = storage_make_room(storage->dir, storage->name, content->size, storage->total_bytes);
        if (r < 0)
                return r;
        /* One new file a key, under the lock: a handler that was killed leaves it to the next. */
        text_append_printf(&name, "%s" STORAGE_NEW, storage->name);
        if (text_failed(&name))
                return -ENOMEM;
        r = write_new(storage, text_string(&name), content);
        if (r >= 0 && renameat(storage->dir, text_string(&name), storage->dir, storage->name) < 0)
                r = -errno;
        if (r < 0)
                (void)unlinkat(storage->dir, text_string(&name), 0);
        else
                storage->replaced = true;
        return r;
}
