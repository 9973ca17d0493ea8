/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output.h"

#include "common/io.h"

#define READ_SIZE ((size_t)64 << 10)

/* More than this beyond the limit ends the job. */
#define FLOOD_MIN ((uint64_t)8 << 20)

bool output_flooded(const OutputBudget *budget) {
        return budget->truncated > MAX(FLOOD_MIN, budget->limit);
}

static void keep(OutputBudget *budget, Text *text, const char *data, size_t size) {
        size_t n = (size_t)MIN((uint64_t)size, budget->limit - MIN(budget->limit, budget->used));

        text_append(text, data, n);
        budget->used += n;
        budget->truncated += size - n;
}

ssize_t output_read(int fd, OutputBudget *budget, Text *text) {
        char buffer[READ_SIZE];
        ssize_t n = read(fd, buffer, sizeof(buffer));

        if (n < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        keep(budget, text, buffer, (size_t)n);
        return n;
}

void output_drain(int fd, OutputBudget *budget, Text *text) {
        /* A pipe holds 64 KiB unless its writer enlarged it, at most 1 MiB without privileges. */
        for (size_t total = 0; total < (size_t)2 << 20;) {
                ssize_t n = output_read(fd, budget, text);
                if (n <= 0)
                        return;
                total += (size_t)n;
        }
}
