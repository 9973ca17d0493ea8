/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs a program under gdb and tells on standard output what a person wants to know of it. */

#include "gdb/source.h"

typedef struct Ending {
        bool started; /* false: gdb could not run it, nothing was done */
        int status;   /* what it exited with, if it was not a signal */
        int signal;   /* the signal that ended it, or 0 */
} Ending;

/* deadline: CLOCK_MONOTONIC, usec; a program that runs longer is ended by SIGALRM, as it were.
 * arguments: the program's argv, NULL-terminated, arguments[0] its path. source: may be empty. 0 or a
 * negative errno; *ret is set in either case. */
int debugger_run(char **arguments, const Source *source, uint64_t deadline, Ending *ret);
