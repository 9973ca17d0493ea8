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

/* The handler, on the bus, of every method of these objects that needs to be authorised; userdata are the
 * objects. Inline, since machine-object.c, which manager-object.c uses, has it in its table too. */
static inline int bus_objects_method(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const BusObjects *objects = userdata;
        return gate_method(objects->gate, message, error);
}

/* Puts the objects on the bus. The manager must outlive them. */
int bus_objects_new(Manager *manager, sd_bus *bus, BusObjects **ret);
/* The bus is not served any more. */
BusObjects *bus_objects_free(BusObjects *objects);
DEFINE_CLEANUP(BusObjects *, bus_objects_free);
