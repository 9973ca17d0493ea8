/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Starting gdb, and the program by it. gdb starts a program through a shell; it is given ourselves for one,
 * so that no shell reads the arguments, and the program gets standard streams of its own while gdb keeps
 * pipes to us. */

#include <sys/types.h>

#include "common/macro.h"

/* Names the descriptors that wait for the program; set for whom gdb starts as its shell. */
#define ENV_LAUNCH "PBOTVM_GDB_LAUNCH"

typedef struct Launch {
        pid_t pid;
        int to_gdb, from_gdb;
        int program_out; /* what the program writes to its standard output */
        int program_err; /* and error */
        int reports;     /* what sanitizers in it report, by prelude.h */
} Launch;

/* Starts gdb on the program: arguments[0] is its path. printers: with the scripts that show the containers
 * of C++. The program's standard input is ours. 0 or a negative errno. */
int launch_gdb(char **arguments, bool printers, Launch *ret);

/* In the process that gdb starts as its shell: becomes the program. Returns, a negative errno, only when it
 * cannot. */
int launch_become_program(void);
