/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/stamps.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "gdb/run.h"

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

static int append_from_path(Text *stamps, const char *name, size_t size) {
        const char *list = getenv("PATH");

        for (const char *p = list ? list : "/usr/bin:/bin"; *p; p += *p == ':') {
                _cleanup_text_ Text path = {};
                size_t n = strcspn(p, ":");

                text_append(&path, p, n);
                text_append_printf(&path, "/%.*s", (int)size, name);
                if (text_failed(&path))
                        return -ENOMEM;
                if (access(text_string(&path), X_OK) == 0)
                        return stamps_append(stamps, text_string(&path));
                p += n;
        }
        return -ENOENT;
}

int stamps_append_program(Text *stamps, const char *name) {
        size_t size = unversioned_size(name);
        int r;

        if (strchr(name, '/'))
                return stamps_append(stamps, name);
        r = append_from_path(stamps, name, strlen(name));
        return r == -ENOENT && name[size] ? append_from_path(stamps, name, size) : r;
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
