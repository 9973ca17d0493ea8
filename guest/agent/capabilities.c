/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sandbox.h"

#include <sys/prctl.h>

/* A set of them has 64 bits. */
#define CAPABILITIES_MAX 64

int sandbox_bound_capabilities(void) {
        for (int capability = 0; capability < CAPABILITIES_MAX; capability++)
                if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EPERM) {
                        if (errno == EINVAL)
                                break; /* the kernel knows no more of them */
                        return -errno;
                }
        return 0;
}
