/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int folder_remove(const char *path) {
        static const char *const files[] = { "ram", "devices", "disk.qcow2", "hardware", "passport" };
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                if (unlinkat(fd, files[i], 0) < 0 && errno != ENOENT)
                        return -errno;
        return rmdir(path) < 0 ? -errno : 0;
}

int folder_make(const char *path) {
        int r = folder_remove(path);

        if (r >= 0 && mkdir(path, 0750) < 0)
                r = -errno;
        return r;
}

int folder_put_in_force(const char *path, const char *name) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0 || syncfs(fd) < 0)
                return -errno;
        if (renameat2(AT_FDCWD, path, AT_FDCWD, name, RENAME_EXCHANGE) >= 0) {
                /* The old one now; the new one is in force even if something in that stays. */
                (void)folder_remove(path);
                return 0;
        }
        if (errno != ENOENT)
                return -errno;
        return rename(path, name) < 0 ? -errno : 0;
}
