/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/hour-picture.h"

#include <inttypes.h>

#define NAME_WIDTH 9
#define TOTAL_WIDTH 8

/* Nothing, and from little to most. */
static const char *const blocks[] = { "\xC2\xB7", "\xE2\x96\x81", "\xE2\x96\x82", "\xE2\x96\x83",
        "\xE2\x96\x84", "\xE2\x96\x85", "\xE2\x96\x86", "\xE2\x96\x87", "\xE2\x96\x88" };
static const char *const signs[] = { ".", ",", ":", "-", "=", "+", "*", "%", "#" };
#define LEVELS (ELEMENTSOF(blocks) - 1)

static unsigned minutes_a_block(unsigned room) {
        static const unsigned fitting[] = { 1, 2, 3, 4, 5 };

        for (size_t i = 0; i < ELEMENTSOF(fitting); i++)
                if (HOUR_MINUTES / fitting[i] <= room)
                        return fitting[i];
        return 6;
}

static void append_row(Text *text, const uint32_t *counts, unsigned minutes, const char *const *pictures) {
        uint64_t sums[HOUR_MINUTES] = {}, most = 0, total = 0;
        unsigned n = HOUR_MINUTES / minutes;

        for (unsigned i = 0; i < HOUR_MINUTES; i++) {
                sums[i / minutes] += counts[i];
                most = MAX(most, sums[i / minutes]);
                total += counts[i];
        }
        for (unsigned i = 0; i < n; i++)
                text_append_string(text, pictures[most > 0 ? (sums[i] * LEVELS + most - 1) / most : 0]);
        text_append_printf(text, " %" PRIu64 "\n", total);
}

void hour_picture(Text *text, const LastHour *hour, unsigned indent, unsigned width, bool unicode) {
        unsigned taken = indent + NAME_WIDTH + TOTAL_WIDTH;
        unsigned minutes = minutes_a_block(width > taken ? width - taken : 0);

        for (size_t i = 0; i < _HOUR_ROW_MAX; i++) {
                text_append_printf(
                        text, "%*s%-*s", i > 0 ? (int)indent : 0, "", NAME_WIDTH, hour_row_name((HourRow)i));
                append_row(text, hour->counts[i], minutes, unicode ? blocks : signs);
        }
}
