/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keeps the connection on which a guest beats, feeds a Heartbeat from it, and asks where the guest has to be
 * asked. Of several ways (channel, serial) the one on which a beat came is kept. */

#include "watchdog/machine.h"
#include "watchdog/transport/heartbeat.h"
#include "watchdog/transport/transport.h"

/* A way on which no beat came for so long is given up for the next one: time for a guest of unknown kind to
 * be asked and to answer. */
#define PULSE_PATIENCE_USEC (9 * USEC_PER_SEC)

typedef struct Pulse Pulse;
/* The fact, the kind of the guest or the last beat may have changed. */
typedef void (*PulseHook)(Pulse *pulse, void *userdata);

/* config is borrowed. */
int pulse_new(sd_event *event, const MachineConfig *config, PulseHook hook, void *userdata, Pulse **ret);
Pulse *pulse_free(Pulse *pulse);
DEFINE_CLEANUP(Pulse *, pulse_free);

/* Who opens streams, before the pulse is started; it must outlive it. NULL, as at first: nobody. */
void pulse_set_opener(Pulse *pulse, ChannelOpener *opener);
/* What is known of the domain's own lines. If that changes the ways, the pulse is stopped. */
void pulse_set_lines(Pulse *pulse, const MachineConfig *config, const DomainLines *lines);
/* Takes a kind that was found out before, unless one is configured. */
void pulse_recall_guest(Pulse *pulse, GuestKind kind);
/* Begins to connect, unless that was begun. */
void pulse_start(Pulse *pulse);
/* Closes the connection; a new generation begins: old beats do not count. */
void pulse_stop(Pulse *pulse);

PulseFact pulse_fact(const Pulse *pulse, uint64_t now_usec);
/* True, once, if the agent was seen to have been started again within this generation. */
bool pulse_take_restarted(Pulse *pulse);
/* Of what the guest told of its journal, the oldest line that was not taken yet, or NULL. */
const char *pulse_take_words(Pulse *pulse);
const Heartbeat *pulse_heartbeat(const Pulse *pulse);
