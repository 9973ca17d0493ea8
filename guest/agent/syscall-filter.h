/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The system calls that a job is refused. Everything else is allowed: what strangers type uses all that a
 * language's runtime does. Refused calls fail with an error, so that the program can say so. */

#include <linux/filter.h>

#include "common/macro.h"

typedef struct SeccompFilter {
        struct sock_filter *instructions;
        unsigned short n;
} SeccompFilter;

/* Compiles the filter; done once, since it takes milliseconds. 0 or a negative errno. */
int seccomp_filter_make(SeccompFilter *ret);
void seccomp_filter_done(SeccompFilter *filter);

/* Applies it to the calling process, which has set no_new_privs. 0 or a negative errno. */
int seccomp_filter_apply(const SeccompFilter *filter);
