/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* metrics: for whoever collects them, on standard output or into a file that is whole at any time. */

#include <stdio.h>

#include "ctl/metrics.h"
#include "ctl/replace-file.h"

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
