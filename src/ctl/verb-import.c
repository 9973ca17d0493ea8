/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* import: takes over configuration and history of a PBot that ran its own programs. */

#include <stdio.h>

#include "ctl/import.h"

static bool has(const char *directory, const char *name) {
        _cleanup_text_ Text path = {};

        text_append_printf(&path, "%s/%s", directory, name);
        return !text_failed(&path) && access(text_string(&path), F_OK) >= 0;
}

int verb_import(Ctl *ctl, int argc _unused_, char **argv) {
        ImportRun run = { .ctl = ctl, .directory = argv[1] };

        if (!has(argv[1], "config/vm-exec.json") && !has(argv[1], "history")) {
                fprintf(stderr,
                        "There is no config/vm-exec.json and no history in %s: expected the folder "
                        "applets/pbot-vm/host of PBot.\n",
                        argv[1]);
                return EXIT_FAILURE;
        }
        (void)setvbuf(stdout, NULL, _IOLBF, 0); /* what is told on stderr comes in between */
        int r = import_configuration(&run);
        if (r == 0)
                r = import_history(&run);
        if (r == 0 && run.stayed > 0) {
                fprintf(stderr, "%zu of these stayed as they were; --force replaces them.\n", run.stayed);
                r = EXIT_FAILURE;
        }
        return r;
}
