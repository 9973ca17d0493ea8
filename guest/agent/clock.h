/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The guest's clock. Who may set it needs CAP_SYS_TIME and the calls that go with it, which the agent does
 * not keep from jobs alone but from itself: pbotvm-guest-clock has them and does nothing else. It listens on
 * a socket (SOCK_SEQPACKET) that systemd makes for root; a packet is a ClockQuestion, and a ClockAnswer
 * comes back. */

#include "common/macro.h"

#define CLOCK_SOCKET "/run/pbotvm-guest-clock.socket"

typedef struct ClockQuestion {
        int64_t seconds, nanoseconds; /* since 1970 */
} ClockQuestion;

typedef struct ClockAnswer {
        int32_t error; /* an errno, or 0 */
} ClockAnswer;

/* Sets it, itself where it may, as without systemd; else asks, and waits half a second at most. 0 or a
 * negative errno. */
int clock_set(const ClockQuestion *question);

/* Sets it in this process. 0 or a negative errno. */
int clock_set_here(const ClockQuestion *question);
