/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* metrics: for whoever collects them, on standard output or into a file that is whole at any time. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/io.h"
#include "ctl/metrics.h"

/* The new file has another ending than ".prom", by which node_exporter knows those that it reads. */
static int replace_file(const char *path, const Text *text) {
        _cleanup_text_ Text temporary = {};

        text_append_printf(&temporary, "%s.new", path);
        if (text_failed(&temporary))
                return -ENOMEM;
        const char *new = text_string(&temporary);
        _cleanup_close_ int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;

        int r = io_write(fd, text->data, text->size, USEC_INFINITY);
        /* Whatever the umask: it holds nothing that not everybody may ask the bus. */
        if (r >= 0 && (fchmod(fd, 0644) < 0 || rename(new, path) < 0))
                r = -errno;
        if (r < 0)
                (void)unlink(new);
        return r;
}

/* 0 with *ret, and *running, or an exit code, told on stderr. */
static int read_machines(Ctl *ctl, Machines *ret, bool *running) {
        *running = ctl_service_runs(ctl);
        int r = *running ? machines_list(ctl, ret) : 0;
        for (size_t i = 0; r == 0 && i < ret->n; i++)
                r = machine_read(ctl, &ret->machines[i]);
        if (r == EXIT_NOT_RUNNING) { /* it went meanwhile */
                *running = false;
                r = 0;
        }
        return r;
}

int verb_metrics(Ctl *ctl, int argc _unused_, char **argv _unused_) {
        _cleanup_machines_ Machines machines = {};
        _cleanup_text_ Text text = {};
        bool running;

        int r = read_machines(ctl, &machines, &running);
        if (r != 0)
                return r;
        r = metrics_append(&text, running ? &machines : NULL);
        if (r < 0)
                return ctl_failure(r, "write metrics");
        if (!ctl->output) {
                ctl_print(&text);
                return EXIT_SUCCESS;
        }
        r = replace_file(ctl->output, &text);
        if (r < 0) {
                fprintf(stderr, "Failed to write %s: %s\n", ctl->output, strerror(-r));
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
