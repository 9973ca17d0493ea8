/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job may call, as data: names as in the kernel's tables, up to Linux 6.1. A call that stands nowhere
 * here does not exist for it (ENOSYS), as on a kernel that is older than the call: libraries know what to do
 * then, and what a newer kernel brings is out of reach until someone has looked at it. */

#include "common/macro.h"

extern const char *const syscalls_allowed[];
extern const size_t n_syscalls_allowed;

/* Known, but not for jobs: EPERM, as for whoever lacks the privilege. */
extern const char *const syscalls_refused[];
extern const size_t n_syscalls_refused;

/* An argument's lower 32 bits, which are all that the kernel looks at in those that are checked, are
 * between min and max after the mask. */
typedef struct SyscallCondition {
        unsigned argument;
        uint32_t mask, min, max;
} SyscallCondition;

#define SYSCALL_CONDITIONS_MAX 3

/* A call of the allowed ones that fails with this error if all conditions are met; those whose mask is 0 are
 * none. */
typedef struct SyscallCheck {
        const char *name;
        int error;
        SyscallCondition conditions[SYSCALL_CONDITIONS_MAX];
} SyscallCheck;

/* Those of one call follow one another. */
extern const SyscallCheck syscall_checks[];
extern const size_t n_syscall_checks;
