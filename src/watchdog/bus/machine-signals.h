/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is told of a machine without being asked: its state, to the log and the bus, at once; its other
 * properties, to the bus, ten times a second at most, since every request changes some of them. */

#include "watchdog/keeper.h"

typedef struct MachineSignals MachineSignals;
/* The keeper must outlive it. */
int machine_signals_new(sd_event *event, sd_bus *bus, Keeper *keeper, MachineSignals **ret);
MachineSignals *machine_signals_free(MachineSignals *signals);
DEFINE_CLEANUP(MachineSignals *, machine_signals_free);

/* Tells what is not as it was told last. view: the machine's, as it is now. */
void machine_signals_send(MachineSignals *signals, const MachineView *view);
/* A machine that has gone for everybody else is not told of any more, until it is back. */
void machine_signals_mute(MachineSignals *signals, bool mute);
/* Tells that the object came, or is about to go. */
void machine_signals_announce(MachineSignals *signals, bool there);
