/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a factoid keeps by its persist-key: one archive a key, unread here, in the state directory's
 * storage/. */

#include "common/text.h"

typedef struct Storage Storage;

/* Opens (makes, 0700) the directory below the state directory state_dir. key_bytes, total_bytes: the caps.
 * 0, -ENAMETOOLONG for a key that makes no file name, or another negative errno. */
int storage_open(
        const char *state_dir, const char *key, uint64_t key_bytes, uint64_t total_bytes, Storage **ret);
Storage *storage_free(Storage *storage);
DEFINE_CLEANUP(Storage *, storage_free);

/* Locks the key, so that two requests with it run one after the other, and reads what is kept (empty:
 * nothing). deadline: CLOCK_MONOTONIC usec. The waiting ends when client_fd (-EBADF: none) is reset. 0,
 * -ETIMEDOUT, -ECANCELED (the client is gone), or another negative errno. */
int storage_lock(Storage *storage, int client_fd, uint64_t deadline, Text *content);

/* Replaces what is kept, whole or not at all; where the cap of all is reached, what other keys keep goes,
 * the longest unused first. 0, -EFBIG (over the key's cap), -EDQUOT (over the cap of all, and nothing else
 * can go), or another negative errno, after which the old content is kept. */
int storage_replace(Storage *storage, const Text *content);
