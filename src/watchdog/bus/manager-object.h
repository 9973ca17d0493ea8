/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /org/pbot/VM1 on the bus, and the machines below it. */

#include "watchdog/bus/gate.h"
#include "watchdog/manager.h"

/* What the methods of all objects are given. */
typedef struct BusObjects {
        MachineView seen; /* the machine that the bus asks for just now */
        sd_bus *bus;
        Manager *manager;
        Gate *gate;
} BusObjects;

/* Puts the objects on the bus. The manager must outlive them. */
int bus_objects_new(Manager *manager, sd_bus *bus, BusObjects **ret);
/* The bus is not served any more. */
BusObjects *bus_objects_free(BusObjects *objects);
DEFINE_CLEANUP(BusObjects *, bus_objects_free);
