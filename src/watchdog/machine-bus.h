/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /org/pbot/VM1/machine/NAME on the bus. */

#include "watchdog/manager.h"

int machine_bus_add(Manager *manager);
/* A machine came, or is about to go: told once the service is there itself. */
void machine_bus_announce(const Keeper *keeper, bool there);

int machine_method_revert(sd_bus_message *message, void *userdata, sd_bus_error *error);
int machine_method_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error);
int machine_method_drain(sd_bus_message *message, void *userdata, sd_bus_error *error);
int machine_method_resume(sd_bus_message *message, void *userdata, sd_bus_error *error);
