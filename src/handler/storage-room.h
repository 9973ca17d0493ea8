/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The bound of all that is kept by keys. */

#include "common/macro.h"

/* Behind a key's file name while its new content is written, under the lock of the key's file. */
#define STORAGE_NEW ".new"

/* Makes room for size bytes beside the files of dir other than keep, total_bytes in all: removes those that
 * were longest not used and that nobody has locked, and tells the operator. 0, -EDQUOT if that is not
 * enough, or another negative errno. */
int storage_make_room(int dir, const char *keep, uint64_t size, uint64_t total_bytes);
