/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job prints, read from pipes without blocking and bounded in all. */

#include "common/text.h"

/* One bound for all streams of a job. */
typedef struct OutputBudget {
        uint64_t limit; /* bytes kept in all */
        uint64_t used;
        uint64_t truncated; /* bytes read and left out */
} OutputBudget;

/* True when so much was left out that it is not worth running on: the reply has its text already, and nobody
 * reads more. */
bool output_flooded(const OutputBudget *budget);

/* Reads once from fd: keeps what the budget allows in *text. Returns the number of bytes, 0 at the end of
 * file, -EAGAIN when there is nothing, or another negative errno. */
ssize_t output_read(int fd, OutputBudget *budget, Text *text);

/* Reads what is there, without waiting, at most what a pipe holds. */
void output_drain(int fd, OutputBudget *budget, Text *text);
