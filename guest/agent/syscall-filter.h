/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The system calls of a job: those of syscall-table.c, compiled to the program that seccomp(2) takes.
 * Refused calls fail with an error, so that the program can say so.
 *
 * libseccomp knows the numbers; the program is made here. A job's filter is taken in for each step, which
 * costs by its length, and libseccomp compares with each number where a few ranges do, and has no ranges of
 * arguments. */

#include <linux/filter.h>

#include "common/macro.h"

typedef struct SeccompFilter {
        struct sock_filter *instructions;
        unsigned short n;
} SeccompFilter;

/* Compiles the filter. 0 or a negative errno. */
int seccomp_filter_make(SeccompFilter *ret);
void seccomp_filter_done(SeccompFilter *filter);

/* Applies it to the calling process, which has set no_new_privs. 0 or a negative errno. */
int seccomp_filter_apply(const SeccompFilter *filter);
