/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one gate before every method that changes something: a table says which action a method needs; nothing
 * behind it runs before the caller is authorised, and a method that no row claims is refused. Nothing
 * blocks: the bus is asked for the caller's credentials, and polkit for everybody who has no standing by
 * them. */

#include <systemd/sd-bus.h>

#include "common/macro.h"

#define ACTION_USE "org.pbot.VM1.use"
#define ACTION_REVERT "org.pbot.VM1.revert"
#define ACTION_SNAPSHOT "org.pbot.VM1.snapshot"
#define ACTION_MANAGE "org.pbot.VM1.manage"

/* Called once the caller is authorised, with the userdata of the gate. Like sd_bus_message_handler_t: a
 * negative errno or *error is answered for it, 0 or more means that it answered, or will. */
typedef int (*GateHandler)(sd_bus_message *message, void *userdata, sd_bus_error *error);

typedef struct GateMethod {
        const char *interface;
        const char *member;
        const char *action;
        GateHandler handler;
} GateMethod;

typedef struct Gate Gate;
/* methods: ended by a row of NULLs, not copied. */
int gate_new(sd_bus *bus, const GateMethod *methods, void *userdata, Gate **ret);
Gate *gate_free(Gate *gate);
DEFINE_CLEANUP(Gate *, gate_free);

/* For the handler, on the bus, of every method of the table, which returns the same. */
int gate_method(Gate *gate, sd_bus_message *message, sd_bus_error *error);
/* A connection has left the bus: what it asked for is asked for no more. */
void gate_sender_gone(Gate *gate, const char *sender);
/* The process behind a connection, if the gate has seen it; 0 else. */
uint32_t gate_sender_pid(const Gate *gate, const char *sender);
