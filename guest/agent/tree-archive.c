/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tree-archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fts.h>
#include <fcntl.h>
#include <sys/stat.h>

#define BLOCK_SIZE ((size_t)16 << 10)

/* Deeper trees than this make path names that no tool takes. */
#define DEPTH_MAX 64

DEFINE_CLEANUP(struct archive_entry *, archive_entry_free);

static void reader_closep(struct archive **a) {
        if (*a)
                (void)archive_read_free(*a);
}

static void writer_closep(struct archive **a) {
        if (*a)
                (void)archive_write_free(*a);
}

static int bad(Text *error, const char *what, const char *why) {
        text_append_printf(error, "%.200s: %.200s", what, why);
        return -EBADMSG;
}

static int too_large(Text *error, uint64_t max) {
        text_append_printf(
                error, "More than %llu bytes or %i files.", (unsigned long long)max, ARCHIVE_ENTRIES_MAX);
        return -EFBIG;
}

static unsigned depth_of(const char *path) {
        unsigned n = 0;

        for (; *path; path++)
                n += *path == '/';
        return n;
}

static int entry_check(struct archive_entry *entry, Text *error) {
        const char *path = archive_entry_pathname(entry);
        mode_t type = archive_entry_filetype(entry);

        if (isempty(path) || depth_of(path) > DEPTH_MAX)
                return bad(error, path ? path : "?", "a name that cannot be");
        if (archive_entry_hardlink(entry))
                return bad(error, path, "a hard link");
        if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK)
                return bad(error, path, "neither a file nor a directory nor a symbolic link");
        return 0;
}

/* What the archive says of owners and special bits means nothing here. */
static void entry_tame(struct archive_entry *entry) {
        bool directory = archive_entry_filetype(entry) == AE_IFDIR;

        archive_entry_set_perm(entry, (archive_entry_perm(entry) & 0777) | (directory ? 0700 : 0600));
        archive_entry_set_uid(entry, 0);
        archive_entry_set_gid(entry, 0);
        archive_entry_set_uname(entry, NULL);
        archive_entry_set_gname(entry, NULL);
}

/* Copies an entry's content; the size in its header is not believed. */
static int data_copy(struct archive *in, struct archive *out, uint64_t *left, uint64_t max, Text *error) {
        for (;;) {
                const void *block;
                size_t size;
                la_int64_t offset;

                int r = archive_read_data_block(in, &block, &size, &offset);
                if (r == ARCHIVE_EOF)
                        return 0;
                if (r < ARCHIVE_WARN)
                        return bad(error, "archive", archive_error_string(in));
                if (size > *left || (uint64_t)offset > max)
                        return too_large(error, max);
                *left -= size;
                if (archive_write_data_block(out, block, size, offset) < ARCHIVE_WARN)
                        return bad(error, "file", archive_error_string(out));
        }
}

/* --- The two directories. */

#define TMP_PREFIX "/tmp/"

typedef enum Place {
        PLACE_STORAGE,
        PLACE_TMP,
        PLACES,
} Place;

typedef struct Places {
        int fds[PLACES]; /* -EBADF: there is none */
} Places;

/* The working directory is the first one again. */
static void places_close(Places *places) {
        if (places->fds[PLACE_STORAGE] >= 0)
                (void)fchdir(places->fds[PLACE_STORAGE]);
        for (size_t i = 0; i < PLACES; i++)
                fd_close(places->fds[i]);
}

static int places_open(const char *tmp, Places *ret) {
        ret->fds[PLACE_STORAGE] = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ret->fds[PLACE_TMP] = open(tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        return ret->fds[PLACE_STORAGE] < 0 ? -errno : 0;
}

static int place_enter(const Places *places, Place place) {
        return fchdir(places->fds[place]) < 0 ? -errno : 0;
}

/* --- Unpacking. */

typedef struct Unpacking {
        struct archive *in;
        struct archive *out[PLACES];
        Places places;
        uint64_t left, max;
} Unpacking;

static void unpacking_done(Unpacking *u) {
        reader_closep(&u->in);
        for (size_t i = 0; i < PLACES; i++) {
                /* What it has put off it does where it is. */
                if (u->places.fds[i] >= 0)
                        (void)place_enter(&u->places, (Place)i);
                writer_closep(&u->out[i]);
        }
        places_close(&u->places);
}

static int unpacking_open(Unpacking *u, int fd, const char *tmp, Text *error) {
        if (mkdir(tmp, 0700) < 0 && errno != EEXIST)
                return -errno;
        int r = places_open(tmp, &u->places);
        if (r < 0)
                return r;
        u->in = archive_read_new();
        if (!u->in)
                return -ENOMEM;
        for (size_t i = 0; i < PLACES; i++) {
                u->out[i] = archive_write_disk_new();
                if (!u->out[i])
                        return -ENOMEM;
                (void)archive_write_disk_set_options(
                        u->out[i], ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
                                           ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS | ARCHIVE_EXTRACT_UNLINK |
                                           ARCHIVE_EXTRACT_TIME);
        }
        (void)archive_read_support_format_tar(u->in);
        (void)archive_read_support_format_empty(u->in);
        return archive_read_open_fd(u->in, fd, BLOCK_SIZE) < ARCHIVE_WARN
                       ? bad(error, "archive", archive_error_string(u->in))
                       : 0;
}

/* Where an entry belongs, by its name, which is one below that place then. */
static int entry_place(const Unpacking *u, struct archive_entry *entry, Place *ret) {
        const char *path = archive_entry_pathname(entry), *below = startswith(path, TMP_PREFIX);

        *ret = PLACE_STORAGE;
        if (isempty(below) || u->places.fds[PLACE_TMP] < 0)
                return 0;
        _cleanup_free_ char *name = strdup(below);
        if (!name)
                return -ENOMEM;
        archive_entry_set_pathname(entry, name);
        *ret = PLACE_TMP;
        return 0;
}

static int entry_unpack(Unpacking *u, struct archive_entry *entry, Text *error) {
        Place place;

        int r = entry_check(entry, error);
        if (r >= 0)
                r = entry_place(u, entry, &place);
        if (r >= 0)
                r = place_enter(&u->places, place);
        if (r < 0)
                return r;
        struct archive *out = u->out[place];
        entry_tame(entry);
        if (archive_write_header(out, entry) < ARCHIVE_WARN)
                return bad(error, archive_entry_pathname(entry), archive_error_string(out));
        r = data_copy(u->in, out, &u->left, u->max, error);
        if (r < 0)
                return r;
        if (archive_write_finish_entry(out) < ARCHIVE_WARN)
                return bad(error, archive_entry_pathname(entry), archive_error_string(out));
        return 0;
}

static int entries_unpack(Unpacking *u, Text *error) {
        for (unsigned n = 0;; n++) {
                struct archive_entry *entry;
                int r = archive_read_next_header(u->in, &entry);
                if (r == ARCHIVE_EOF)
                        return 0;
                if (r < ARCHIVE_WARN)
                        return bad(error, "archive", archive_error_string(u->in));
                if (n >= ARCHIVE_ENTRIES_MAX)
                        return too_large(error, u->max);
                r = entry_unpack(u, entry, error);
                if (r < 0)
                        return r;
        }
}

int tree_unpack(int fd, const char *tmp, uint64_t max, Text *error) {
        _cleanup_(unpacking_done)
                Unpacking u = { .places = { { -EBADF, -EBADF } }, .left = max, .max = max };

        int r = unpacking_open(&u, fd, tmp, error);
        if (r >= 0)
                r = entries_unpack(&u, error);
        /* Times of directories are set only now. */
        for (size_t i = 0; r >= 0 && i < PLACES; i++)
                if (u.places.fds[i] >= 0 && place_enter(&u.places, (Place)i) >= 0 &&
                        archive_write_close(u.out[i]) < ARCHIVE_WARN)
                        r = bad(error, "archive", archive_error_string(u.out[i]));
        return r;
}

/* --- Packing. */

/* A link's target, or NULL; freed by the caller. */
static char *link_target(const char *path) {
        char target[4096];
        ssize_t n = readlink(path, target, sizeof(target));

        return n < 0 || n == (ssize_t)sizeof(target) ? NULL : bytes_dup(target, (size_t)n);
}

/* Exactly as many bytes as the header said follow it: a file that shrank is filled up, one that grew is cut.
 */
static int file_write(struct archive *out, int fd, uint64_t size) {
        char block[BLOCK_SIZE];

        while (size > 0) {
                size_t want = (size_t)MIN(size, (uint64_t)sizeof(block));
                ssize_t n = read(fd, block, want);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0) {
                        memset(block, 0, want);
                        n = (ssize_t)want;
                }
                if (archive_write_data(out, block, (size_t)n) < 0)
                        return -EIO;
                size -= (uint64_t)n;
        }
        return 0;
}

static int node_pack(struct archive *out, const char *prefix, const FTSENT *node, Text *error) {
        _cleanup_(archive_entry_freep) struct archive_entry *entry = archive_entry_new();
        _cleanup_free_ char *target = NULL, *path = NULL;
        _cleanup_close_ int fd = -EBADF;

        if (!entry || asprintf(&path, "%s%s", prefix, node->fts_path + 2 /* without "./" */) < 0)
                return -ENOMEM;
        archive_entry_copy_stat(entry, node->fts_statp);
        archive_entry_set_pathname(entry, path);
        entry_tame(entry);
        if (node->fts_info == FTS_SL) {
                target = link_target(node->fts_accpath);
                if (!target)
                        return 0;
                archive_entry_set_symlink(entry, target);
                archive_entry_set_size(entry, 0);
        } else if (node->fts_info == FTS_F) {
                fd = open(node->fts_accpath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
                if (fd < 0) {
                        text_append_printf(error, "%.200s: %s", path, strerror(errno));
                        return -errno;
                }
        } else
                archive_entry_set_size(entry, 0);

        if (archive_write_header(out, entry) < ARCHIVE_WARN)
                return bad(error, path, archive_error_string(out));
        int r = fd >= 0 ? file_write(out, fd, (uint64_t)node->fts_statp->st_size) : 0;
        if (r < 0)
                text_append_printf(error, "%.200s: %s", path, strerror(-r));
        return r;
}

/* What is below is left out. */
#define VISIT_SKIP 1

typedef int (*TreeVisit)(const FTSENT *node, void *userdata, Text *error);

static FTS *tree_open(void) {
        char dot[] = ".";
        char *paths[] = { dot, NULL };

        return fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
}

typedef struct Packing {
        struct archive *out; /* NULL: only counts */
        const char *prefix;  /* of names in the archive */
        const char *without; /* this one is not looked into */
        uint64_t left, max;
        unsigned entries;
} Packing;

static int pack_visit(const FTSENT *node, void *userdata, Text *error) {
        Packing *packing = userdata;

        switch (node->fts_info) {
        case FTS_D:
        case FTS_F:
        case FTS_SL:
                break;
        case FTS_DP:
        case FTS_DEFAULT: /* a pipe or a socket */
                return 0;
        default:
                text_append_printf(error, "%.200s: %s", node->fts_path, strerror(node->fts_errno));
                return node->fts_errno > 0 ? -node->fts_errno : -EIO;
        }
        if (node->fts_level == 0)
                return 0;
        if (node->fts_level == 1 && streq(node->fts_name, packing->without))
                return VISIT_SKIP;

        uint64_t size = node->fts_info == FTS_F ? (uint64_t)node->fts_statp->st_size : 0;
        if (++packing->entries > ARCHIVE_ENTRIES_MAX || size > packing->left || node->fts_level > DEPTH_MAX)
                return too_large(error, packing->max);
        packing->left -= size;
        return packing->out ? node_pack(packing->out, packing->prefix, node, error) : 0;
}

static int tree_walk(TreeVisit visit, void *userdata, Text *error) {
        FTS *tree = tree_open();
        int r = 0;

        if (!tree)
                return -errno;
        for (FTSENT *node; r >= 0;) {
                errno = 0;
                node = fts_read(tree);
                if (!node) {
                        r = -errno;
                        break;
                }
                r = visit(node, userdata, error);
                if (r == VISIT_SKIP)
                        r = fts_set(tree, node, FTS_SKIP) < 0 ? -errno : 0;
        }
        (void)fts_close(tree);
        return r;
}

/* Whether what is in the working directory can be packed, too. */
static bool fits(const Packing *packing) {
        _cleanup_text_ Text error = {};
        Packing trial = *packing;

        trial.out = NULL;
        return tree_walk(pack_visit, &trial, &error) >= 0;
}

static int places_pack(const Places *places, Packing *packing, const char *tmp, Text *error) {
        packing->prefix = "";
        packing->without = tmp;
        int r = tree_walk(pack_visit, packing, error);
        if (r < 0 || places->fds[PLACE_TMP] < 0 || place_enter(places, PLACE_TMP) < 0)
                return r;
        packing->prefix = TMP_PREFIX;
        packing->without = "";
        return fits(packing) ? tree_walk(pack_visit, packing, error) : 0;
}

int tree_pack(int fd, const char *tmp, uint64_t max, Text *error) {
        _cleanup_(writer_closep) struct archive *out = archive_write_new();
        _cleanup_(places_close) Places places = { { -EBADF, -EBADF } };
        Packing packing = { .out = out, .left = max, .max = max };

        if (!out)
                return -ENOMEM;
        (void)archive_write_set_format_pax_restricted(out);
        /* No padding to the 10 KiB of a tape. */
        (void)archive_write_set_bytes_per_block(out, BLOCK_SIZE);
        (void)archive_write_set_bytes_in_last_block(out, 1);
        if (archive_write_open_fd(out, fd) < ARCHIVE_WARN)
                return bad(error, "archive", archive_error_string(out));

        int r = places_open(tmp, &places);
        if (r >= 0)
                r = places_pack(&places, &packing, tmp, error);
        if (r < 0)
                return r;
        return archive_write_close(out) < ARCHIVE_WARN ? bad(error, "archive", archive_error_string(out))
                                                       : 0;
}

static int clear_visit(const FTSENT *node, _unused_ void *userdata, Text *error) {
        if (node->fts_level == 0)
                return 0;
        /* A directory is entered before it is removed, so it has to be readable. */
        if (node->fts_info == FTS_D) {
                (void)chmod(node->fts_accpath, 0700);
                return 0;
        }
        if (unlinkat(AT_FDCWD, node->fts_accpath, node->fts_info == FTS_DP ? AT_REMOVEDIR : 0) < 0) {
                text_append_printf(error, "%.200s: %s", node->fts_path, strerror(errno));
                return -errno;
        }
        return 0;
}

int tree_clear(Text *error) {
        return tree_walk(clear_visit, NULL, error);
}
