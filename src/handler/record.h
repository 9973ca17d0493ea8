/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The journal's record of a request: who asked what of which machine, how it went, how long it took. */

#include "handler/run.h"

/* began: when the client connected, CLOCK_MONOTONIC usec. */
void record_request(const Run *run, uint64_t began, size_t answer_size);
