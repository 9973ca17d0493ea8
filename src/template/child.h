/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "common/macro.h"

/* A process of ours, which ends with us. */
typedef struct Child {
        pid_t pid; /* 0: none */
        int pidfd;
} Child;

#define CHILD_NONE ((Child){ .pidfd = -EBADF })

/* Executes a vector; before it, in the child, prepare (NULL: nothing), of which a negative errno means that
 * nothing is executed. 0 or negative errno. */
int child_start(
        char *const *arguments, int (*prepare)(const void *userdata), const void *userdata, Child *ret);
/* Waits for its end, at most so long: its exit status, -ETIMEDOUT, -EINTR (a signal ended it) or another
 * negative errno. */
int child_wait(Child *child, uint64_t limit_usec);
/* Kills it, if it is there. */
void child_kill(Child *child);
#define _cleanup_child_ _cleanup_(child_kill)
