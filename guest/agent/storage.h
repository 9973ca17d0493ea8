/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a factoid keeps from one run to the next, by key. */

#include "common/text.h"

/* The directory name of a key: the key itself if it is made of letters, digits, '-', '_', '.' and does not
 * begin with a dot or a dash, as PBot's are; else every other byte is written =HH, and what is longer than
 * 100 bytes is cut and gets a hash. Different keys have different names. 0 and *ret (freed by the caller) or
 * -ENOMEM.
 */
int storage_name(const char *key, char **ret);
