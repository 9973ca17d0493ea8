/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A saying for programs that are given no input, as PBot takes it from fortune(6). */

#include "common/text.h"

/* Appends one entry, of at most 160 bytes, of the fortune file at path: entries end with a line "%". Reads a
 * few kilobytes at a random place. 0, -ENOENT if no short entry was found there, or another negative errno.
 */
int saying_read(const char *path, Text *saying);
