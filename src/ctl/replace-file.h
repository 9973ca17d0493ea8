/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A file that is whole at any time. */

#include "common/text.h"

/* Writes PATH.new, readable by all whatever the umask, and gives it the name. 0 or negative errno. */
int replace_file(const char *path, const Text *text);
