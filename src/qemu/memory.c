/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "qemu/version.h"

static int copy_extent(int from, int to, off_t begin, off_t end) {
        if (lseek(to, begin, SEEK_SET) < 0)
                return -errno;
        while (begin < end) {
                ssize_t n = sendfile(to, from, &begin, (size_t)(end - begin));
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EIO; /* it became shorter */
        }
        return 0;
}

static int copy_extents(int from, int to, off_t size) {
        for (off_t begin = 0, end; begin < size; begin = end) {
                begin = lseek(from, begin, SEEK_DATA);
                if (begin < 0)
                        return errno == ENXIO ? 0 : -errno; /* a hole up to the end */
                end = lseek(from, begin, SEEK_HOLE);
                int r = end < 0 ? -errno : copy_extent(from, to, begin, end);
                if (r < 0)
                        return r;
        }
        return 0;
}

int qemu_memory_open(const char *path, const char *version) {
        if (!qemu_version_before(version, 8, 2))
                return 0;

        _cleanup_close_ int from = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;

        if (from < 0 || fstat(from, &st) < 0)
                return -errno;
        _cleanup_close_ int to = memfd_create("guest-memory", 0);
        if (to < 0 || ftruncate(to, st.st_size) < 0)
                return -errno;
        int r = copy_extents(from, to, st.st_size);
        return r < 0 ? r : TAKE_FD(to);
}
