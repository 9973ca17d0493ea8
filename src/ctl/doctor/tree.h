/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files of the host, below a root folder: paths are absolute in it. */

#include <sys/stat.h>

#include "common/text.h"

/* Is there something of that name? A symbolic link counts, wherever it leads. */
bool tree_has(int root, const char *path);
/* As stat(2): 0 or negative errno. */
int tree_stat(int root, const char *path, struct stat *ret);
/* Reads a file, 16 MiB at most: 0 or negative errno. */
int tree_read(int root, const char *path, Text *ret);
/* The number of a user, or a group, in /etc/passwd, /etc/group; -ENOENT if it is not there. */
int tree_user(int root, const char *name, uid_t *ret);
int tree_group(int root, const char *name, gid_t *ret);
/* What a file of lines NAME = VALUE, as libvirt's are, says last, without quotes: 1 with *ret, 0 if nothing.
 */
int tree_setting(int root, const char *path, const char *name, Text *ret);
