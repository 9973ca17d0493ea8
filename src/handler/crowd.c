/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/crowd.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/io.h"
#include "handler/client-link.h"

/* Where all handlers' cgroups are, one a connection. */
#define SLICE "/pbotvm.slice"

static const struct {
        unsigned from; /* so many clients */
        uint64_t usec;
} patience[] = {
        { 128, 500 * USEC_PER_MSEC },
        { 64, 2 * USEC_PER_SEC },
        { 0, CLIENT_LINE_USEC },
};

/* The folder of the own cgroup's parent, below the tree of cgroup v2. */
static int parent_cgroup(Text *ret) {
        _cleanup_text_ Text text = {};

        int r = io_read_file(AT_FDCWD, "/proc/self/cgroup", 65536, &text);
        if (r < 0)
                return r;
        const char *line = startswith(text_string(&text), "0::") ?: strstr(text_string(&text), "\n0::");
        if (!line)
                return -ENOENT;
        line = strchr(line, '/');
        size_t size = line ? strcspn(line, "\n") : 0;
        while (size > 0 && line[size - 1] != '/')
                size--;
        if (size < 2)
                return -ENOENT;
        text_append(ret, line, size - 1);
        return text_error(ret);
}

unsigned crowd_count(void) {
        static const char *const trees[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
        _cleanup_text_ Text parent = {};

        if (parent_cgroup(&parent) < 0 || parent.size < strlen(SLICE) ||
                !streq(parent.data + parent.size - strlen(SLICE), SLICE))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(trees); i++) {
                _cleanup_text_ Text path = {};
                struct stat st;

                text_append_printf(&path, "%s%s", trees[i], text_string(&parent));
                /* A folder has two links, and one more for each folder in it. */
                if (stat(text_string(&path), &st) >= 0 && st.st_nlink > 2)
                        return (unsigned)st.st_nlink - 2;
        }
        return 0;
}

uint64_t crowd_patience(unsigned n) {
        size_t i = 0;

        while (n < patience[i].from)
                i++;
        return patience[i].usec;
}
