/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The guest's memory of a template, for a run that must not be able to write to it. From 8.2 on QEMU maps a
 * file privately that it may only read. Before, it wants to write to what it maps, even privately: then the
 * run has a copy. */

#include "common/macro.h"

/* What a QEMU of that version, "7.2.22", is given of the file at path: the descriptor of a copy that exists
 * in memory alone, holes and all, which is inherited by what is executed; 0: nothing, the file is mapped; or
 * a negative errno. */
int qemu_memory_open(const char *path, const char *version);
