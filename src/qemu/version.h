/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

#include "common/macro.h"

/* Whether a version of QEMU's, "7.2.22", is older than that; one that cannot be read is. */
static inline bool qemu_version_before(const char *version, unsigned major, unsigned minor) {
        unsigned its_major = 0, its_minor = 0;

        (void)sscanf(version, "%u.%u", &its_major, &its_minor);
        return its_major < major || (its_major == major && its_minor < minor);
}
