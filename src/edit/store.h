/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The directory of the history: names, locks, and how much it may hold. Inside the edit library only. */

#include <limits.h>

#include "edit/edit.h"

struct History {
        int fd; /* the directory; -EBADF: nothing is kept */
        uint64_t max_file, max_total;
};

/* The kinds of files, by the end of their names. */
#define STORE_CODES ".hist"
#define STORE_OUTPUT ".last-output"

/* The file of a channel and language: their bytes, all but letters, digits and a few more written %XX, or
 * their hash where that would get too long. Two different pairs never have the same name, and no name leads
 * out of the directory or begins with a dot. */
void store_name(const char *channel, const char *language, const char *kind, char ret[static NAME_MAX + 1]);
/* The temporary name under which a file's successor is written; it is renamed over the file. */
void store_temporary_name(const char *name, char ret[static NAME_MAX + 1]);

/* Opens the file, makes it if create is true, and locks it, shared or exclusive: the descriptor, -ENOENT,
 * -ETIMEDOUT when somebody holds the lock for longer than a second, or another negative errno. */
int store_open(const History *history, const char *name, bool create, bool exclusive);

/* Writes all at the end of fd, or nothing: what a full disk took is cut off again. 0 or negative errno. */
int store_append(int fd, const void *data, size_t size);

/* Replaces the file, which the caller has locked, by one of this content. 0 or negative errno. */
int store_replace(const History *history, const char *name, const Text *content);

/* Call after a file grew from old_size to new_size (both 0: it was made). Looks over the directory when it
 * may have outgrown its cap (with a slack of 1/256 of it a file), and then removes the files that were
 * longest not written to, until a quarter of the cap is free. Logs what goes wrong. */
void store_make_room(const History *history, const char *keep, uint64_t old_size, uint64_t new_size);
