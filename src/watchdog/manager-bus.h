/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /org/pbot/VM1 on the bus, and the table of all methods that need an authorisation. */

#include "watchdog/gate.h"

extern const GateMethod manager_gate_methods[];

int manager_bus_add(Manager *manager);
