/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A handler confines itself, since what systemd would do for it costs 15 to 100 ms a request. Called once
 * the journal, the bus and the files outside these directories are open. */

#include "common/macro.h"

/* The newest interface of Landlock that is used: that of Linux 6.1. */
#define CONFINE_LANDLOCK_ABI 2

typedef struct Confinement {
        const char *const *read_only;  /* paths, NULL-terminated; those that do not exist are left out */
        const char *const *read_write; /* directories, likewise */
        uint64_t file_bytes;           /* no file grows larger */
        int landlock_abi;              /* at most this one; tests lower it */
} Confinement;

typedef struct Confined {
        bool landlock; /* false: the kernel has none */
        bool seccomp;
} Confined;

/* Applies no new privileges, resource limits, Landlock and seccomp to this process. 0 with *ret, which says
 * what the kernel has, or a negative errno when something that the kernel has could not be applied. */
int confine(const Confinement *confinement, Confined *ret);
