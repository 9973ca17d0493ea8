/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A call that may block, in a thread of its own, against a deadline. */

#include "common/macro.h"

/* Runs run(job). 0: it ended, and the job is the caller's. -ETIMEDOUT: it did not within usec; then the
 * thread goes on and release(job) follows whenever it ends. Another negative errno: it was not begun, and
 * the job is the caller's. waiting(userdata, usec) is called once if it takes longer than a second; may be
 * NULL.
 */
int bounded_run(void (*run)(void *job), void (*release)(void *job), void *job, uint64_t usec,
        void (*waiting)(void *userdata, uint64_t usec), void *userdata);
