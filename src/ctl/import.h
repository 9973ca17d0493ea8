/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The parts of "pbotvmctl import". */

#include "ctl/ctl.h"

typedef struct ImportRun {
        Ctl *ctl;
        const char *directory; /* PBot's applets/pbot-vm/host */
        size_t stayed;         /* what was there already, and another one */
} ImportRun;

/* Checks config/vm-exec.json, tells what of it has no counterpart, and makes it the configuration. An exit
 * code, told on stderr. */
int import_configuration(ImportRun *run);
/* Takes over history/CHANNEL-LANGUAGE.hist, each; what is written belongs to whom the folder of the history
 * belongs. An exit code, told on stderr. */
int import_history(ImportRun *run);
