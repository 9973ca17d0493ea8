/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A hook for tests, which bring it along and build a watchdog of their own with it: the process kills itself
 * with SIGKILL, once, at the point that they name. The program itself has none. */
void crash_hook(const char *point) __attribute__((weak));

static inline void crash_point(const char *point) {
        if (crash_hook)
                crash_hook(point);
}
