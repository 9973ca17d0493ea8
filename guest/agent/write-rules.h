/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where a job may write, by Landlock: in its private directories alone, whatever the permissions elsewhere
 * say.
 *
 * A read-only mount would do that too, but then a program is told "Read-only file system" where PBot's users
 * know "Permission denied". These rules do not hold back changes of mode, owner, times and attributes, nor
 * before ABI 3 of size: so they are for jobs whose user is another outside (namespaces.h) and owns nothing
 * there, and for the root and those of its directories in which everybody can write to nothing (mounts.c):
 * the others are read only all the same. For other jobs, and where the kernel has no (complete enough)
 * Landlock, all is. */

#include "common/macro.h"

/* Whether this kernel has it. */
bool write_rules_available(void);

/* Applies to the calling process, which has set no_new_privs, and its children. 0 or a negative errno. */
int write_rules_apply(void);
