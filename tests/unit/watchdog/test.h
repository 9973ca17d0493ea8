/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What cmocka needs before its own header. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/macro.h"

#define SEC USEC_PER_SEC

/* Turns the loop until that is so. */
#define until(event, condition)                                                                             \
        do {                                                                                                \
                uint64_t _end = now_monotonic() + 20 * SEC;                                                 \
                while (!(condition)) {                                                                      \
                        assert_true(now_monotonic() < _end);                                                \
                        assert_true(sd_event_run(event, 20 * USEC_PER_MSEC) >= 0);                          \
                }                                                                                           \
        } while (false)
