/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Storage as a tar archive: what is in the working directory, and what a program left in /tmp, whose names
 * in the archive are absolute ones. Both ways run as user vm inside the sandbox of a job, and neither trusts
 * what it gets: the archive comes from a guest that a stranger's program may have written, the directory is
 * full of what it left. */

#include "common/text.h"

/* Files, directories and links in one storage. */
#define ARCHIVE_ENTRIES_MAX 4096
/* The exit status of pbotvm-archive after -EFBIG. */
#define ARCHIVE_TOO_LARGE 2

/* Unpacks the archive that is read from fd into the working directory, and what belongs to /tmp into the
 * directory tmp, which is made if there is none: plain files, directories and symbolic links, none through a
 * link or above its directory. 0, or a negative errno with a text in *error: -EBADMSG (no tar archive, or
 * something in it that does not belong there), -EFBIG (over max bytes or too many entries). */
int tree_unpack(int fd, const char *tmp, uint64_t max, Text *error);

/* Writes the content of the working directory and of tmp, which may be in it, as an archive to fd; what is
 * no plain file, directory or symbolic link is left out. So is all of tmp, if there is none or its content
 * cannot be kept: it is not what a program is told to keep its things in. 0, or a negative errno with a text
 * in *error, -EFBIG as above. */
int tree_pack(int fd, const char *tmp, uint64_t max, Text *error);

/* Removes the working directory's content, following no link. 0 or a negative errno. */
int tree_clear(Text *error);
