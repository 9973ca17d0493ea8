/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/stamps.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

int stamps_append(Text *stamps, const char *path) {
        struct stat st;

        if (strchr(path, '\n'))
                return -EINVAL;
        if (stat(path, &st) < 0)
                return -errno;
        text_append_printf(
                stamps, "%" PRIi64 " %" PRIi64 " %s\n", (int64_t)st.st_size, (int64_t)st.st_mtime, path);
        return text_error(stamps);
}

static bool line_holds(const char *line, size_t size) {
        _cleanup_free_ char *copy = bytes_dup(line, size);
        int64_t bytes, mtime;
        int n = 0;
        struct stat st;

        return copy && sscanf(copy, "%" SCNi64 " %" SCNi64 " %n", &bytes, &mtime, &n) == 2 && n > 0 &&
               stat(copy + n, &st) == 0 && st.st_size == bytes && st.st_mtime == mtime;
}

bool stamps_hold(const char *stamps) {
        for (const char *p = stamps, *newline; *p; p = newline + 1) {
                newline = strchr(p, '\n');
                if (!newline || !line_holds(p, (size_t)(newline - p)))
                        return false;
        }
        return true;
}
