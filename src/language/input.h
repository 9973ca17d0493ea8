/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a program reads from its standard input: what -stdin gives, else a saying of a fortune file. */

#include "common/text.h"

/* Replaces \n \r \t \b, \x with hex digits and \ with octal digits by their characters, where no backslash
 * stands before; one kind after the other, so what one makes is not taken for another's. 0 or -ENOMEM. */
int input_unescape(Text *input);

/* Appends one entry of a fortune file, picked by chance (any number), of at most 160 characters as far as
 * the neighbourhood has one, on one line. Entries are separated by lines "%". At most 64 KiB are read.
 * Returns 0, -ENODATA when nothing was found, or another errno. */
int fortune_read(int fd, uint64_t chance, Text *input);
