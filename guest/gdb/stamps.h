/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether files are still those that something was made of: a line each, "SIZE MTIME PATH". */

#include "common/text.h"

/* Appends the line of the file, a link's target. 0 or a negative errno. */
int stamps_append(Text *stamps, const char *path);

/* The same of a program that PATH has, without its version if need be (run_compiler()). -ENOENT if it has
 * not. */
int stamps_append_program(Text *stamps, const char *name);

/* Whether all the files are as their lines say. What is no such line is no match. */
bool stamps_hold(const char *stamps);
