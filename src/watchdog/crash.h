/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A hook for tests: the process kills itself with SIGKILL, once, at the point that PBOTVM_TEST_CRASH names:
 * before-lease-reply, lease-held, after-release, before-revert, during-revert, after-revert,
 * before-state-save. Whatever it is set to, the next start has to put the machines right. */

typedef struct Manager Manager;

void crash_point(const Manager *manager, const char *point);
