/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/replace-file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/io.h"

/* The new file has another ending than ".prom", by which node_exporter knows those that it reads. */
int replace_file(const char *path, const Text *text) {
        _cleanup_text_ Text temporary = {};

        text_append_printf(&temporary, "%s.new", path);
        if (text_failed(&temporary))
                return -ENOMEM;
        const char *new = text_string(&temporary);
        _cleanup_close_ int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;

        int r = io_write(fd, text->data, text->size, USEC_INFINITY);
        if (r >= 0 && (fchmod(fd, 0644) < 0 || rename(new, path) < 0))
                r = -errno;
        if (r < 0)
                (void)unlink(new);
        return r;
}
