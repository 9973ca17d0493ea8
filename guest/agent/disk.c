/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "common/io.h"
#include "common/log.h"
#include "job-limits.h"

#define MOUNT_POINT "/run/pbotvm-guest/storage"

/* Names of keys never begin with a dot. */
#define NEW_PREFIX ".new-"
#define PBOT_PREFIX ".pbot-"

#define WORK_USEC (5 * USEC_PER_SEC)

struct Disk {
        JobContext *context;
        Plan nothing; /* no program but the archiver runs */
        int fd;
};

/* File systems that a second disk may have. */
static const char *const filesystems[] = { "ext4", "xfs", "btrfs", "vfat" };

static int device_mount(const char *device) {
        int r = -ENODEV;

        if (mkdir("/run/pbotvm-guest", 0700) < 0 && errno != EEXIST)
                return -errno;
        if (mkdir(MOUNT_POINT, 0700) < 0 && errno != EEXIST)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(filesystems); i++) {
                if (mount(device, MOUNT_POINT, filesystems[i], MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME,
                            NULL) >= 0)
                        return 0;
                /* Another one than this, or one that this kernel does not have. */
                if (errno != EINVAL && errno != ENODEV)
                        r = -errno;
        }
        return r;
}

static int place_open(const char *place) {
        struct stat st;

        if (stat(place, &st) < 0)
                return -errno;
        if (S_ISBLK(st.st_mode)) {
                int r = device_mount(place);
                if (r < 0)
                        return r;
                place = MOUNT_POINT;
        }
        int fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int disk_new(JobContext *context, const char *place, Disk **ret) {
        _cleanup_(disk_freep) Disk *disk = calloc(1, sizeof(Disk));
        if (!disk)
                return log_oom();

        disk->context = context;
        disk->fd = place_open(place);
        if (disk->fd < 0)
                return log_error_errno(
                        disk->fd, "Failed to open %s, where storage is to be kept: %m", place);
        *ret = TAKE_PTR(disk);
        return 0;
}

Disk *disk_free(Disk *disk) {
        if (!disk)
                return NULL;
        fd_close(disk->fd);
        free(disk);
        return NULL;
}

static int name_open(const Disk *disk, const char *name) {
        int fd = openat(disk->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* A mount of the directory alone, in no namespace yet: a job's sandbox is another namespace, into which a
 * directory that is only open cannot be bound. */
static int mount_of(int directory, bool writable) {
        struct mount_attr attributes = {
                .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (writable ? 0 : MOUNT_ATTR_RDONLY),
                .attr_clr = writable ? MOUNT_ATTR_RDONLY : 0,
                .propagation = MS_PRIVATE,
        };
        _cleanup_close_ int fd =
                open_tree(directory, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

        if (fd < 0)
                return -errno;
        if (mount_setattr(fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static JobSpec spec_make(Disk *disk, const char *name, int fd) {
        return (JobSpec){
                .plan = &disk->nothing,
                .limits = limits_default(limits_total_memory()),
                .deadline_usec = usec_add(now_monotonic(), WORK_USEC),
                .key = name,
                .bind_fd = fd,
        };
}

int disk_load(Disk *disk, const char *name, JobDone done, void *userdata, Job **ret) {
        _cleanup_close_ int fd = name_open(disk, name);
        if (fd < 0)
                return fd;

        _cleanup_close_ int tree = mount_of(fd, false);
        if (tree < 0)
                return tree;

        JobSpec spec = spec_make(disk, name, tree);
        spec.pack = true;
        return job_start(disk->context, &spec, done, userdata, ret);
}

static int new_name(const char *name, char *buffer, size_t size) {
        int n = snprintf(buffer, size, NEW_PREFIX "%s", name);
        return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* User vm writes into it, and into nothing above it. */
static int new_open(const Disk *disk, const char *name) {
        if (mkdirat(disk->fd, name, 0777) < 0 && errno != EEXIST)
                return -errno;
        _cleanup_close_ int fd = name_open(disk, name);
        if (fd < 0)
                return fd;
        return fchmod(fd, 0777) < 0 ? -errno : TAKE_FD(fd);
}

int disk_save(Disk *disk, const char *name, const Text *archive, JobDone done, void *userdata, Job **ret) {
        char new[NAME_MAX + 1];
        int r = new_name(name, new, sizeof(new));
        if (r < 0)
                return r;
        _cleanup_close_ int fd = new_open(disk, new);
        if (fd < 0)
                return fd;

        _cleanup_close_ int tree = mount_of(fd, true);
        if (tree < 0)
                return tree;

        JobSpec spec = spec_make(disk, name, tree);
        spec.clear = true;
        spec.storage = archive;
        return job_start(disk->context, &spec, done, userdata, ret);
}

/* A directory that PBot's agent made is root's, so that user vm could never clear it: it is put aside. */
static int pbots_put_aside(const Disk *disk, const char *name) {
        char aside[NAME_MAX + 1];
        struct stat st;

        if (fstatat(disk->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (st.st_mode & S_IWOTH)
                return 0;
        int n = snprintf(aside, sizeof(aside), PBOT_PREFIX "%s", name);
        if (n < 0 || (size_t)n >= sizeof(aside))
                return -ENAMETOOLONG;
        return renameat(disk->fd, name, disk->fd, aside) < 0 ? -errno : 0;
}

int disk_save_finish(Disk *disk, const char *name, const JobResult *result) {
        char new[NAME_MAX + 1];

        if (result->broken_errno > 0)
                return -result->broken_errno;
        if (!result->clean || result->storage_errno > 0)
                return result->storage_errno > 0 ? -result->storage_errno : -ECANCELED;
        int r = new_name(name, new, sizeof(new));
        if (r >= 0)
                r = pbots_put_aside(disk, name);
        if (r < 0)
                return r;

        /* What was kept is then the new one's place, and is cleared the next time. */
        if (renameat2(disk->fd, new, disk->fd, name, RENAME_EXCHANGE) >= 0)
                return 0;
        return errno != ENOENT || renameat(disk->fd, new, disk->fd, name) < 0 ? -errno : 0;
}
