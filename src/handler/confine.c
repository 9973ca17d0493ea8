/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/confine.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Made by make-filter. */
static const struct sock_filter calls_filter[] = {
#include "handler/calls.inc"
};
static const struct sock_filter code_filter[] = {
#include "handler/code.inc"
};

/* What the system's headers may be too old to know: interfaces 3 to 6. */
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define NET_ALL ((1ULL << 0) | (1ULL << 1))   /* bind and connect of TCP */
#define SCOPE_ALL ((1ULL << 0) | (1ULL << 1)) /* abstract unix sockets and signals, beyond this process */

/* The kernel's, in the size of interface 6; an older kernel takes it as long as what it does not know is
 * zero. */
typedef struct Ruleset {
        uint64_t handled_access_fs;
        uint64_t handled_access_net;
        uint64_t scoped;
} Ruleset;

#define FILE_READ (LANDLOCK_ACCESS_FS_READ_FILE)
#define DIR_READ (FILE_READ | LANDLOCK_ACCESS_FS_READ_DIR)
#define DIR_WRITE                                                                                           \
        (DIR_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |                           \
                LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                              \
                LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)
/* All that the first interface knows. */
#define ALL_1                                                                                               \
        ((DIR_WRITE & ~(LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)) | LANDLOCK_ACCESS_FS_EXECUTE |             \
                LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK |                               \
                LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

/* What each interface added. */
static const Ruleset added[CONFINE_LANDLOCK_ABI + 1] = {
        [1] = { .handled_access_fs = ALL_1 },
        [2] = { .handled_access_fs = LANDLOCK_ACCESS_FS_REFER },
        [3] = { .handled_access_fs = FS_TRUNCATE },
        [4] = { .handled_access_net = NET_ALL },
        [5] = { .handled_access_fs = FS_IOCTL_DEV },
        [6] = { .scoped = SCOPE_ALL },
};

/* Where the dynamic loader looks; /lib leads to /usr/lib. */
static const char *const libraries[] = { "/etc/ld.so.cache", "/usr/lib", "/usr/lib64", "/usr/local/lib",
        NULL };

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static int set_limits(uint64_t file_bytes) {
        const struct {
                int resource;
                rlim_t value;
        } limits[] = {
                { RLIMIT_CORE, 0 },
                { RLIMIT_NPROC, 0 },
                { RLIMIT_NOFILE, 64 },
                { RLIMIT_FSIZE, file_bytes },
                /* Seconds; a request takes some milliseconds. */
                { RLIMIT_CPU, 60 },
                /* The largest frame, decoded and rewritten a few times. The sanitizers' shadow is larger. */
                { RLIMIT_DATA, SANITIZED ? RLIM_INFINITY : (rlim_t)512 << 20 },
        };

        /* A file that is too large is an error of the write, not a death. */
        (void)signal(SIGXFSZ, SIG_IGN);
        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                struct rlimit now;
                if (getrlimit(limits[i].resource, &now) < 0)
                        return -errno;
                now.rlim_max = MIN(now.rlim_max, limits[i].value);
                now.rlim_cur = MIN(now.rlim_cur, now.rlim_max);
                if (setrlimit(limits[i].resource, &now) < 0)
                        return -errno;
        }
        return 0;
}

/* A rule for what path leads to; nothing for what is not there. */
static int add_path(int ruleset, const char *path, uint64_t dir_access, uint64_t handled) {
        _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
        struct landlock_path_beneath_attr rule = { .parent_fd = fd };
        struct stat st;

        if (fd < 0)
                return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        rule.allowed_access = (S_ISDIR(st.st_mode) ? dir_access : FILE_READ) & handled;
        return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno
                                                                                                 : 0;
}

static int add_paths(int ruleset, const char *const *paths, uint64_t dir_access, uint64_t handled) {
        for (size_t i = 0; paths && paths[i]; i++) {
                int r = add_path(ruleset, paths[i], dir_access, handled);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_all_paths(int ruleset, const Confinement *c, uint64_t handled) {
        int r = add_paths(ruleset, libraries, DIR_READ, handled);
        if (r >= 0)
                r = add_paths(ruleset, c->read_only, DIR_READ, handled);
        return r >= 0 ? add_paths(ruleset, c->read_write, DIR_WRITE, handled) : r;
}

/* The interface that was applied, 0 if the kernel has none, or negative errno. */
static int apply_landlock(const Confinement *c) {
        long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
        /* EPERM: a container's manager knows nothing of these calls and filters them. */
        if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM))
                return 0;
        if (abi < 0)
                return -errno;
        abi = MIN(abi, (long)MIN(c->landlock_abi, CONFINE_LANDLOCK_ABI));
        if (abi < 1)
                return 0;

        Ruleset attr = {};
        for (long i = 1; i <= abi; i++) {
                attr.handled_access_fs |= added[i].handled_access_fs;
                attr.handled_access_net |= added[i].handled_access_net;
                attr.scoped |= added[i].scoped;
        }
        _cleanup_close_ int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
        if (ruleset < 0)
                return -errno;
        int r = add_all_paths(ruleset, c, attr.handled_access_fs);
        if (r < 0)
                return r;
        return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : (int)abi;
}

/* 1 if applied, 0 if the kernel has none, or negative errno. */
static int apply_seccomp(const struct sock_filter *filter, size_t n) {
        struct sock_fprog program = { .len = (unsigned short)n, .filter = (struct sock_filter *)filter };

        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) >= 0)
                return 1;
        return errno == EINVAL ? 0 : -errno;
}

int confine(const Confinement *confinement, Confined *ret) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        int r = set_limits(confinement->file_bytes);
        if (r < 0)
                return r;

        int landlock = apply_landlock(confinement);
        if (landlock < 0)
                return landlock;
        int seccomp =
                confinement->without_seccomp ? 0 : apply_seccomp(calls_filter, ELEMENTSOF(calls_filter));
        if (seccomp < 0)
                return seccomp;
        *ret = (Confined){ .landlock = landlock, .seccomp = seccomp > 0 };
        return 0;
}

int confine_code(void) {
        int r = apply_seccomp(code_filter, ELEMENTSOF(code_filter));

        return r < 0 ? r : 0;
}
