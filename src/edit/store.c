/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edit/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "common/io.h"
#include "common/log.h"

/* Somebody holds a lock for a millisecond, while editing for as long as an edit may compute. */
#define LOCK_WAIT_USEC USEC_PER_SEC
#define LOCK_PAUSE_NSEC 2000000
#define FILE_COUNTS_MIN ((uint64_t)4096)

int history_open(const char *path, uint64_t max_file, uint64_t max_total, History **ret) {
        History *history = malloc(sizeof(History));
        int r = 0;

        if (!history)
                return -ENOMEM;
        *history = (History){ .fd = -EBADF, .max_file = max_file, .max_total = max_total };
        *ret = history;
        if (!path)
                return 0;

        r = io_make_directories(path);
        history->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (history->fd < 0) {
                r = r < 0 ? r : -errno;
                history->fd = -EBADF;
                return r;
        }
        return 0;
}

History *history_free(History *history) {
        if (history) {
                fd_close(history->fd);
                free(history);
        }
        return NULL;
}

int history_fd(const History *history) {
        return history->fd;
}

static int lock(int fd, int operation) {
        uint64_t deadline = usec_add(now_monotonic(), LOCK_WAIT_USEC);

        while (flock(fd, operation | LOCK_NB) < 0) {
                if (errno == EINTR)
                        continue;
                if (errno != EWOULDBLOCK)
                        return -errno;
                if (now_monotonic() >= deadline)
                        return -ETIMEDOUT;
                (void)nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NSEC }, NULL);
        }
        return 0;
}

/* Is the file that was opened, and perhaps waited for, still the one with that name? */
static bool is_current(const History *history, const char *name, int fd) {
        struct stat opened, named;

        return fstat(fd, &opened) >= 0 && fstatat(history->fd, name, &named, AT_SYMLINK_NOFOLLOW) >= 0 &&
               opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

int store_open(const History *history, const char *name, bool create, bool exclusive) {
        int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (create ? O_CREAT : 0);

        if (history->fd < 0)
                return -ENOENT;
        for (unsigned i = 0; i < 100; i++) {
                _cleanup_close_ int fd = openat(history->fd, name, flags, 0600);
                if (fd < 0)
                        return -errno;

                int r = lock(fd, exclusive ? LOCK_EX : LOCK_SH);
                if (r < 0)
                        return r;
                if (is_current(history, name, fd))
                        return TAKE_FD(fd);
        }
        return -ETIMEDOUT;
}

int store_append(int fd, const void *data, size_t size) {
        off_t old_size = lseek(fd, 0, SEEK_END);

        if (old_size < 0)
                return -errno;
        for (size_t done = 0; done < size;) {
                ssize_t n = write(fd, (const char *)data + done, size - done);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0) {
                        int r = n < 0 ? -errno : -EIO;
                        (void)ftruncate(fd, old_size);
                        return r;
                }
                done += (size_t)n;
        }
        return 0;
}

int store_replace(const History *history, const char *name, const Text *content) {
        char successor[NAME_MAX + 1];

        store_temporary_name(name, successor);
        _cleanup_close_ int fd =
                openat(history->fd, successor, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;

        int r = store_append(fd, text_string(content), content->size);
        if (r >= 0 && renameat(history->fd, successor, history->fd, name) < 0)
                r = -errno;
        if (r < 0)
                (void)unlinkat(history->fd, successor, 0);
        return r;
}

typedef struct Entry {
        char name[NAME_MAX + 1];
        struct timespec written;
        uint64_t size;
} Entry;

typedef struct Listing {
        Entry *entries;
        size_t n, allocated;
        uint64_t total;
} Listing;

static void listing_done(Listing *listing) {
        free(listing->entries);
}
static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

static int list_add(Listing *listing, const char *name, const struct stat *st) {
        if (listing->n == listing->allocated) {
                size_t allocate = MAX(listing->allocated * 2, (size_t)64);
                Entry *entries = reallocarray(listing->entries, allocate, sizeof(Entry));
                if (!entries)
                        return -ENOMEM;
                listing->entries = entries;
                listing->allocated = allocate;
        }

        Entry *entry = &listing->entries[listing->n++];
        /* An empty one takes an inode, and there may be as many as names. */
        *entry = (Entry){ .written = st->st_mtim,
                .size = MAX((uint64_t)st->st_blocks * 512, FILE_COUNTS_MIN) };
        memcpy(entry->name, name, MIN(strlen(name), (size_t)NAME_MAX));
        listing->total += entry->size;
        return 0;
}

/* Others may keep files of theirs there. */
static bool is_ours(const char *name) {
        static const char *const kinds[] = { STORE_CODES, STORE_OUTPUT };
        size_t size = strlen(name);

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (size > strlen(kinds[i]) && streq(name + size - strlen(kinds[i]), kinds[i]))
                        return true;
        return false;
}

static int list(const History *history, Listing *listing) {
        _cleanup_(closedirp) DIR *dir = NULL;
        int fd = openat(history->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        dir = fd >= 0 ? fdopendir(fd) : NULL;
        if (!dir) {
                int r = -errno;
                fd_close(fd);
                return r;
        }
        for (struct dirent *d; (d = readdir(dir));) {
                struct stat st;
                if (fstatat(history->fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
                        !is_ours(d->d_name))
                        continue;
                if (list_add(listing, d->d_name, &st) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int by_age(const void *a, const void *b) {
        const Entry *x = a, *y = b;

        if (x->written.tv_sec != y->written.tv_sec)
                return x->written.tv_sec < y->written.tv_sec ? -1 : 1;
        return (x->written.tv_nsec > y->written.tv_nsec) - (x->written.tv_nsec < y->written.tv_nsec);
}

/* A file in use is left alone. */
static bool remove_unused(const History *history, const char *name) {
        _cleanup_close_ int fd = openat(history->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

        return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) >= 0 && unlinkat(history->fd, name, 0) >= 0;
}

static void remove_oldest(const History *history, const char *keep, Listing *listing) {
        uint64_t total = listing->total;
        size_t removed = 0;

        qsort(listing->entries, listing->n, sizeof(Entry), by_age);
        for (size_t i = 0; i < listing->n && total > history->max_total - history->max_total / 4; i++) {
                if (streq(listing->entries[i].name, keep) ||
                        !remove_unused(history, listing->entries[i].name))
                        continue;
                total -= MIN(total, listing->entries[i].size);
                removed++;
        }
        log_info("The history was full: removed the %zu files that were longest not written to.", removed);
}

void store_make_room(const History *history, const char *keep, uint64_t old_size, uint64_t new_size) {
        _cleanup_(listing_done) Listing listing = {};
        uint64_t step = MAX(history->max_total / 256, (uint64_t)4096);

        if (old_size > 0 && old_size / step == new_size / step)
                return;

        int r = list(history, &listing);
        if (r < 0)
                log_warning_errno(r, "Failed to look over the history: %m");
        else if (listing.total > history->max_total)
                remove_oldest(history, keep, &listing);
}
