/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is told of a machine without being asked: its state, to the log and the bus, at once; its other
 * properties, to the bus, ten times a second at most, since every request changes some of them. */

#include "watchdog/keeper.h"

int signals_setup(Keeper *keeper, sd_event *event);
/* Tells what is not as it was told last. */
void signals_send(Keeper *keeper);
