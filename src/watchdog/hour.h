/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a machine did in each of the last sixty minutes: a ring, so it takes what it takes. Minutes are those
 * of CLOCK_MONOTONIC, whose times (usec) come in; nothing here asks a clock. */

#include "common/text.h"

#define HOUR_MINUTES 60

typedef enum HourCount {
        HOUR_BEATS,
        HOUR_REQUESTS, /* that ended */
        HOUR_REVERTS,
        _HOUR_COUNT_MAX,
} HourCount;
const char *hour_count_to_name(HourCount count); /* "beats", "requests", "reverts" */

typedef struct Hour {
        uint64_t minute; /* the last one that has something */
        uint32_t counts[_HOUR_COUNT_MAX][HOUR_MINUTES];
} Hour;

/* Adds n to the minute of now_usec. A time before the last one begins anew. */
void hour_add(Hour *hour, HourCount count, uint64_t n, uint64_t now_usec);
/* How many there were in the minute so many minutes ago; 0 is the one that runs. */
uint32_t hour_get(const Hour *hour, HourCount count, unsigned ago, uint64_t now_usec);

/* The counts up to hour->minute, oldest first: "0x57 12 60x2". They fit into HOUR_TEXT_MAX bytes. */
#define HOUR_TEXT_MAX (HOUR_MINUTES * 11)
void hour_format(const Hour *hour, HourCount count, Text *text);
/* And back. False, and nothing is changed, if the text is none of these. */
bool hour_parse(Hour *hour, HourCount count, const char *text);
