/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/saying.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#define WINDOW 8192
#define SAYING_MAX 160
#define SEPARATOR "\n%\n"

static uint64_t random_below(uint64_t n) {
        uint64_t random = 0;

        (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
        return n > 0 ? random % n : 0;
}

/* The first entry of the window that is short enough. */
static int find_saying(const char *data, size_t size, bool at_start, Text *saying) {
        const char *p = data, *end = data + size;

        if (!at_start) {
                p = memmem(data, size, SEPARATOR, strlen(SEPARATOR));
                if (!p)
                        return -ENOENT;
                p += strlen(SEPARATOR);
        }
        while (p < end) {
                const char *stop = memmem(p, (size_t)(end - p), SEPARATOR, strlen(SEPARATOR));
                if (!stop)
                        return -ENOENT;
                if (stop > p && stop - p <= SAYING_MAX) {
                        text_append(saying, p, (size_t)(stop - p));
                        return text_error(saying);
                }
                p = stop + strlen(SEPARATOR);
        }
        return -ENOENT;
}

int saying_read(const char *path, Text *saying) {
        char window[WINDOW];
        struct stat st;

        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;

        /* Near the end of the file there may be no short entry: then from its start. */
        uint64_t size = (uint64_t)st.st_size, offset = random_below(size);
        for (int attempt = 0; attempt < 2; attempt++, offset = 0) {
                ssize_t n = pread(fd, window, sizeof(window), (off_t)offset);
                if (n < 0)
                        return -errno;
                int r = find_saying(window, (size_t)n, offset == 0, saying);
                if (r != -ENOENT)
                        return r;
        }
        return -ENOENT;
}
