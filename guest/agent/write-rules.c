/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "write-rules.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>

/* The first ABI in which a file may be moved from one directory to another at all. */
#define ABI_MIN 2

/* Bits of later ABIs, which an older header does not name. */
#define ACCESS_REFER (UINT64_C(1) << 13)
#define ACCESS_TRUNCATE (UINT64_C(1) << 14)

#define ACCESS_WRITE                                                                                        \
        (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |   \
                LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |  \
                LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                               \
                LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | ACCESS_REFER)

/* All of them are the job's own: see mounts.c. */
static const char *const writable[] = { "/home", "/tmp", "/var/tmp", "/dev", "/proc" };

static int abi(void) {
        return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

bool write_rules_available(void) {
        return abi() >= ABI_MIN;
}

static int descriptor_rule_add(int ruleset, int fd, uint64_t access) {
        struct landlock_path_beneath_attr rule = { .allowed_access = access, .parent_fd = fd };
        return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno
                                                                                                 : 0;
}

static int rule_add(int ruleset, const char *path, uint64_t access) {
        _cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        return descriptor_rule_add(ruleset, fd, access);
}

int write_rules_apply(void) {
        struct landlock_ruleset_attr attributes = {
                .handled_access_fs = ACCESS_WRITE | (abi() >= 3 ? ACCESS_TRUNCATE : 0),
        };
        int r = 0;

        _cleanup_close_ int ruleset = (int)syscall(
                SYS_landlock_create_ruleset, &attributes, sizeof(attributes.handled_access_fs), 0);
        if (ruleset < 0)
                return -errno;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(writable); i++)
                r = rule_add(ruleset, writable[i], attributes.handled_access_fs);
        /* /dev/stdout may be a terminal, which lies outside of the job's files. */
        if (r >= 0 && isatty(STDOUT_FILENO))
                r = descriptor_rule_add(ruleset, STDOUT_FILENO,
                        LANDLOCK_ACCESS_FS_WRITE_FILE | (attributes.handled_access_fs & ACCESS_TRUNCATE));
        if (r < 0)
                return r;
        return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}
