/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One connection, from its acceptance to its end. */

#include "common/macro.h"

typedef struct SessionOptions {
        const char *config_file;          /* NULL: PBOTVM_CONFIG, or the installed one */
        const char *const *language_dirs; /* NULL-terminated */
        const char *rewrites_dir;
        const char *state_dir;
        bool confine;
} SessionOptions;

/* Serves the client on fd, which is closed before the bookkeeping. began: when it connected, CLOCK_MONOTONIC
 * usec. 0 when the client was answered or sent nothing, or negative errno. Logs. */
int session_run(int fd, const SessionOptions *options, char *const *environment, uint64_t began);
