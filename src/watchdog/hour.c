/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/hour.h"

#include <inttypes.h>

#define MINUTE_USEC (60 * USEC_PER_SEC)

const char *hour_count_to_name(HourCount count) {
        static const char *const names[_HOUR_COUNT_MAX] = {
                [HOUR_BEATS] = "beats",
                [HOUR_REQUESTS] = "requests",
                [HOUR_REVERTS] = "reverts",
        };
        return names[count];
}

/* Whether the ring has something of that minute. */
static bool holds(const Hour *hour, uint64_t minute) {
        return minute <= hour->minute && hour->minute - minute < HOUR_MINUTES;
}

static void advance(Hour *hour, uint64_t minute) {
        if (minute < hour->minute || minute - hour->minute >= HOUR_MINUTES)
                memset(hour->counts, 0, sizeof(hour->counts));
        else
                for (uint64_t m = hour->minute + 1; m <= minute; m++)
                        for (size_t i = 0; i < _HOUR_COUNT_MAX; i++)
                                hour->counts[i][m % HOUR_MINUTES] = 0;
        hour->minute = minute;
}

void hour_add(Hour *hour, HourCount count, uint64_t n, uint64_t now_usec) {
        uint64_t minute = now_usec / MINUTE_USEC;

        advance(hour, minute);
        uint32_t *slot = &hour->counts[count][minute % HOUR_MINUTES];
        *slot = (uint32_t)MIN(*slot + n, (uint64_t)UINT32_MAX);
}

uint32_t hour_get(const Hour *hour, HourCount count, unsigned ago, uint64_t now_usec) {
        uint64_t minute = now_usec / MINUTE_USEC;

        return ago < HOUR_MINUTES && minute >= ago && holds(hour, minute - ago)
                       ? hour->counts[count][(minute - ago) % HOUR_MINUTES]
                       : 0;
}

/* Of the minute at position i of the text. */
static size_t slot_at(const Hour *hour, size_t i) {
        return (hour->minute + 1 + i) % HOUR_MINUTES;
}

void hour_format(const Hour *hour, HourCount count, Text *text) {
        const uint32_t *counts = hour->counts[count];

        for (size_t i = 0, n; i < HOUR_MINUTES; i += n) {
                uint32_t value = counts[slot_at(hour, i)];
                n = 1;
                while (i + n < HOUR_MINUTES && counts[slot_at(hour, i + n)] == value)
                        n++;
                text_append_printf(text, "%s%" PRIu32, i > 0 ? " " : "", value);
                if (n > 1)
                        text_append_printf(text, "x%zu", n);
        }
}

/* Takes a number off. */
static bool take_number(const char **text, uint64_t max, uint64_t *ret) {
        char *end;

        if (**text < '0' || **text > '9')
                return false;
        errno = 0;
        *ret = strtoull(*text, &end, 10);
        *text = end;
        return errno == 0 && *ret <= max;
}

bool hour_parse(Hour *hour, HourCount count, const char *text) {
        uint32_t counts[HOUR_MINUTES];
        size_t i = 0;

        while (i < HOUR_MINUTES) {
                uint64_t value, n = 1;
                if (i > 0 && *text++ != ' ')
                        return false;
                if (!take_number(&text, UINT32_MAX, &value))
                        return false;
                if (*text == 'x' && (text++, !take_number(&text, HOUR_MINUTES - i, &n) || n == 0))
                        return false;
                while (n-- > 0)
                        counts[slot_at(hour, i++)] = (uint32_t)value;
        }
        if (*text)
                return false;
        memcpy(hour->counts[count], counts, sizeof(counts));
        return true;
}
