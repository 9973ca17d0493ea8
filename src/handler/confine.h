/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A handler confines itself, since what systemd would do for it costs 15 to 100 ms a request. In two steps:
 *
 * confine(), once the journal and the bus are open and before anything of a request is looked at. From then
 * on it opens files below the directories given, and no connections; it starts nothing and signals nobody.
 *
 * confine_code(), once the library that formats C is loaded where the request is C: no code is mapped from
 * then on. */

#include "common/macro.h"

/* The newest interface of Landlock that is used: that of Linux 6.12. */
#define CONFINE_LANDLOCK_ABI 6

typedef struct Confinement {
        const char *const *read_only;  /* paths, NULL-terminated; those that do not exist are left out */
        const char *const *read_write; /* directories, likewise */
        uint64_t file_bytes;           /* no file grows larger */
        int landlock_abi;              /* at most this one; tests lower it */
        bool without_seccomp;          /* tests set it, to see what Landlock does */
} Confinement;

typedef struct Confined {
        int landlock; /* the interface that was used; 0: the kernel has none */
        bool seccomp;
} Confined;

/* Applies no new privileges, resource limits, Landlock and seccomp to this process. Libraries of the system
 * can be read as well. 0 with *ret, which says what the kernel has, or a negative errno when something that
 * the kernel has could not be applied. */
int confine(const Confinement *confinement, Confined *ret);

/* The second step. 0, also without seccomp, or a negative errno. */
int confine_code(void);
