/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "watchdog/manager.h"

/* A hook for tests, which bring it along and build a watchdog of their own with it: the process kills itself
 * with SIGKILL, once, at the point that they name. The program itself has none. */
void crash_hook(const Manager *manager, const char *point) __attribute__((weak));

static inline void crash_point(const Manager *manager, const char *point) {
        if (crash_hook)
                crash_hook(manager, point);
}
