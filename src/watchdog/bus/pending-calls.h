/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calls that are answered later, all of them at once. */

#include <systemd/sd-bus.h>

#include "common/macro.h"

#define PENDING_CALLS_MAX 16

typedef struct PendingCalls {
        sd_bus_message *calls[PENDING_CALLS_MAX];
        size_t n;
} PendingCalls;

/* 0, or -EBUSY when too many wait already. */
int pending_calls_add(PendingCalls *pending, sd_bus_message *call);
/* error: its name, with its text; NULL: what they asked for is done. None is left. */
void pending_calls_answer(PendingCalls *pending, const char *error, const char *text);
/* A connection has left the bus: its calls are not answered. */
void pending_calls_sender_gone(PendingCalls *pending, const char *sender);
