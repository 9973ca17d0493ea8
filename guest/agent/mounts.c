/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a job sees of the file system: all of the guest's, read only; a private /home, /tmp, /var/tmp and
 * /dev/shm, which share one tmpfs of limited size; a /dev of harmless devices; a /proc of its own; an empty
 * /run, so that no service's socket is in reach. */
#include "sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "job-limits.h"

/* The tmpfs is first mounted here, its parts are bound to where they belong, and its "run" covers it. */
#define SCRATCH "/run"

/* Of the terminals that the kernel has for all jobs together, some 3000. */
#define TERMINALS_MAX "64"

static const struct {
        const char *name;
        mode_t mode;
        const char *target; /* where it is bound to */
        bool optional;      /* the guest may have no such directory */
} parts[] = {
        { SCRATCH "/home", 01777, "/home", false },
        { SCRATCH "/tmp", 01777, "/tmp", false },
        { SCRATCH "/vartmp", 01777, "/var/tmp", true },
        { SCRATCH "/dev", 0755, "/dev", false },
        /* Last, since it hides the others. */
        { SCRATCH "/run", 0755, SCRATCH, false },
};

static const struct {
        const char *name;
        unsigned minor;
        unsigned major;
} devices[] = {
        { SCRATCH "/dev/null", 3, 1 },
        { SCRATCH "/dev/zero", 5, 1 },
        { SCRATCH "/dev/full", 7, 1 },
        { SCRATCH "/dev/random", 8, 1 },
        { SCRATCH "/dev/urandom", 9, 1 },
        { SCRATCH "/dev/tty", 0, 5 },
};

static const struct {
        const char *name, *target;
} links[] = {
        { SCRATCH "/dev/fd", "/proc/self/fd" },
        { SCRATCH "/dev/stdin", "/proc/self/fd/0" },
        { SCRATCH "/dev/stdout", "/proc/self/fd/1" },
        { SCRATCH "/dev/stderr", "/proc/self/fd/2" },
        { SCRATCH "/dev/ptmx", "pts/ptmx" },
};

/* Directories of the root in which packages let nobody but root write. */
static const char *const packaged[] = { "bin", "boot", "etc", "lib", "lib32", "lib64", "libo32", "libx32",
        "lost+found", "root", "sbin", "usr" };
/* Those that are mounts anyway, or are covered by one. */
static const char *const covered[] = { ".", "..", "dev", "home", "proc", "run", "sys", "tmp" };

static bool is_named(const char *name, const char *const *names, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (streq(name, names[i]))
                        return true;
        return false;
}

/* The others may hold what everybody can write, /var and what an operator has made above all: the write
 * rules do not hold back changes of times, attributes and, of old ones, size. Each becomes a mount, read
 * only as that of the root still is. */
static int directories_protect(void) {
        DIR *root = opendir("/");
        char path[NAME_MAX + 2];
        int r = 0;

        if (!root)
                return -errno;
        for (struct dirent *entry; r >= 0 && (entry = readdir(root));) {
                const char *name = entry->d_name;
                if (entry->d_type == DT_LNK || is_named(name, packaged, ELEMENTSOF(packaged)) ||
                        is_named(name, covered, ELEMENTSOF(covered)))
                        continue;
                (void)snprintf(path, sizeof(path), "/%s", name);
                if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0 && errno != ENOENT)
                        r = -errno;
        }
        (void)closedir(root);
        return r;
}

/* With write rules the root itself is left to them, and what only packages fill: there a program is told
 * what it would be elsewhere. What is read leaves no time. */
static int system_protect(const SandboxSpec *spec) {
        struct mount_attr attributes = {
                .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME,
                .attr_clr = MOUNT_ATTR__ATIME,
                .propagation = MS_PRIVATE,
        };
        struct mount_attr root = { .attr_clr = MOUNT_ATTR_RDONLY };

        if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof(attributes)) < 0)
                return -errno;
        if (!spec->write_rules)
                return 0;
        int r = directories_protect();
        if (r < 0)
                return r;
        return mount_setattr(AT_FDCWD, "/", 0, &root, sizeof(root)) < 0 ? -errno : 0;
}

static int scratch_mount(const JobLimits *limits) {
        char options[128];

        (void)snprintf(options, sizeof(options), "mode=755,size=%" PRIu64 ",nr_inodes=%" PRIu64,
                limits->disk_bytes, limits_inodes(limits));
        return mount("tmpfs", SCRATCH, "tmpfs", MS_NOSUID, options) < 0 ? -errno : 0;
}

static int directory_make(const char *path, mode_t mode) {
        return mkdir(path, mode) < 0 ? -errno : 0;
}

/* Makes a directory of the user's in one that everybody may write to: as the user, so that the agent needs
 * neither the right to give files away nor the one to pass over permissions. */
static int directory_make_owned(const char *path, const SandboxSpec *spec) {
        (void)setfsgid(spec->namespaces.outside.gid);
        (void)setfsuid(spec->namespaces.outside.uid);
        int r = directory_make(path, 0755);
        (void)setfsuid(0);
        (void)setfsgid(0);
        return r;
}

static int scratch_fill(const SandboxSpec *spec) {
        char path[128];
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(parts); i++)
                r = directory_make(parts[i].name, parts[i].mode);
        if (r >= 0)
                r = directory_make(SCRATCH "/dev/pts", 0755);
        if (r >= 0)
                r = directory_make(SCRATCH "/dev/shm", 01777);
        if (r < 0)
                return r;

        (void)snprintf(path, sizeof(path), SCRATCH "/home/%.64s", spec->user);
        r = directory_make_owned(path, spec);
        if (r < 0)
                return r;
        (void)snprintf(path, sizeof(path), SCRATCH "/home/%.64s/%" PRIu64, spec->user, spec->number);
        r = directory_make_owned(path, spec);
        if (r < 0)
                return r;
        return chmod(SCRATCH "/home", 0755) < 0 ? -errno : 0;
}

static int devices_make(void) {
        for (size_t i = 0; i < ELEMENTSOF(devices); i++) {
                if (mknod(devices[i].name, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)) < 0)
                        return -errno;
        }
        for (size_t i = 0; i < ELEMENTSOF(links); i++)
                if (symlink(links[i].target, links[i].name) < 0)
                        return -errno;
        return 0;
}

static int parts_bind(void) {
        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                if (mount(parts[i].name, parts[i].target, NULL, MS_BIND, NULL) >= 0)
                        continue;
                if (errno != ENOENT || !parts[i].optional)
                        return -errno;
        }
        return 0;
}

static int kernel_mount(void) {
        if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                    "newinstance,ptmxmode=0666,mode=620,max=" TERMINALS_MAX) < 0 ||
                mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
                return -errno;
        return 0;
}

/* The storage: a directory of the job's own, or a mount that was prepared outside. */
static int storage_mount(const SandboxSpec *spec) {
        char target[384];

        if (!spec->bind.name)
                return 0;
        (void)snprintf(target, sizeof(target), "/home/%.64s/%.255s", spec->user, spec->bind.name);

        int r = directory_make_owned(target, spec);
        if (r < 0 || spec->bind.fd < 0)
                return r;
        return move_mount(spec->bind.fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

int sandbox_mount(const SandboxSpec *spec, const char **ret_where) {
        int r;

#define DO(call, what)                                                                                      \
        if ((r = (call)) < 0) {                                                                             \
                *ret_where = what;                                                                          \
                return r;                                                                                   \
        }
        DO(system_protect(spec), "system");
        DO(scratch_mount(spec->limits), "disk");
        DO(scratch_fill(spec), "directories");
        DO(devices_make(), "devices");
        DO(parts_bind(), "private directories");
        DO(kernel_mount(), "proc and devpts");
        DO(storage_mount(spec), "storage");
#undef DO
        return 0;
}
