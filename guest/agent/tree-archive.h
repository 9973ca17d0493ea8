/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Storage as a tar archive. Both ways run as user vm inside the sandbox of a job, and neither trusts what it
 * gets: the archive comes from a guest that a stranger's program may have written, the directory is full of
 * what it left. */

#include "common/text.h"

/* Files, directories and links in one storage. */
#define ARCHIVE_ENTRIES_MAX 4096
/* The exit status of pbotvm-archive after -EFBIG. */
#define ARCHIVE_TOO_LARGE 2

/* Unpacks the archive that is read from fd into the working directory: plain files, directories and symbolic
 * links, none through a link, above the directory or by an absolute name. 0, or a negative errno with a text
 * in *error: -EBADMSG (no tar archive, or something in it that does not belong there), -EFBIG (over max
 * bytes or too many entries). */
int tree_unpack(int fd, uint64_t max, Text *error);

/* Writes the working directory's content as an archive to fd; what is no plain file, directory or symbolic
 * link is left out. 0, or a negative errno with a text in *error, -EFBIG as above. */
int tree_pack(int fd, uint64_t max, Text *error);

/* Removes the working directory's content, following no link. 0 or a negative errno. */
int tree_clear(Text *error);
