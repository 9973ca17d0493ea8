/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /org/pbot/VM1/machine/NAME on the bus. */

#include "watchdog/bus/manager-object.h"

/* Puts the machines on the bus: those of the roster at any time. 0 or more, or a negative errno. */
int machine_objects_add(BusObjects *objects);

/* For the gate; userdata are the objects. */
int machine_method_revert(sd_bus_message *message, void *userdata, sd_bus_error *error);
int machine_method_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error);
int machine_method_drain(sd_bus_message *message, void *userdata, sd_bus_error *error);
int machine_method_resume(sd_bus_message *message, void *userdata, sd_bus_error *error);
