/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The keeper of one machine: feeds the state machine (machine.h) from the links, the heartbeat and libvirt,
 * and does what it says. */

#include <systemd/sd-bus.h>

#include "watchdog/domain.h"
#include "watchdog/idle-cpu.h"
#include "watchdog/link.h"
#include "watchdog/pulse.h"
#include "watchdog/settings.h"
#include "watchdog/state-file.h"

/* Callers that wait for the end of one revert or snapshot. */
#define KEEPER_CALLS_MAX 16

/* What was last told on the bus. */
typedef struct Told {
        MachineState state;       /* _MACHINE_STATE_MAX: nothing yet */
        uint64_t properties_usec; /* when the properties were */
        char reason[256];
        TransportKind transport;
        GuestKind guest;
        uint64_t numbers[9]; /* see machine-signals.c */
} Told;

typedef struct Keeper Keeper;
struct Keeper {
        Manager *manager;
        MachineConfig *config;
        char *path; /* on the bus */
        Machine machine;
        Link *link;
        Pulse *pulse;
        Domain *domain; /* NULL: none */
        bool retired;   /* gone from the configuration, or changed there: ends with its last lease */

        sd_event_source *timer;      /* when the state machine has to be asked again */
        sd_event_source *look_timer; /* when libvirt has to be */
        uint64_t look_usec;          /* the same */
        DomainLines lines;           /* what the domain has of its own */
        int domain_id;               /* the run of the domain that this generation is about; -1: not known */
        bool look_passing;           /* the last look was at somebody's revert */

        IdleCpu cpu;

        uint64_t last_revert_usec; /* CLOCK_REALTIME; 0: none yet */
        uint64_t reset_begun_usec; /* CLOCK_MONOTONIC */
        char last_error[200];      /* libvirt's, of the last revert that failed */
        char reason[256];          /* why it is in its state, composed */

        Told told;
        sd_event_source *tell_timer;

        sd_bus_message *revert_calls[KEEPER_CALLS_MAX];
        size_t n_revert_calls;
        sd_bus_message *snapshot_call;

        bool changed; /* it is in the manager's list of those to be looked at */
        Keeper *next_changed;
        GuestKind guest;     /* as it was at the last beat that was news */
        SavedMachine record; /* as the manager was last told that it is to be saved */
        char status[400];
};

/* config is copied. hypervisor: NULL if the machine has no domain. */
int keeper_new(Manager *manager, const MachineConfig *config, Hypervisor *hypervisor, uint64_t generation,
        Keeper **ret);
/* No lease may be left. */
Keeper *keeper_free(Keeper *keeper);
DEFINE_CLEANUP(Keeper *, keeper_free);

/* Does all that follows from what is known now; called by the manager, from the loop, when something has
 * changed. True if its status is another one now. */
bool keeper_update(Keeper *keeper);
/* Has the agent asked again, since somebody waits for the machine. */
void keeper_prove(Keeper *keeper);

/* For people, with its name: "vm ready (channel)". As of the last update. */
const char *keeper_status(const Keeper *keeper);
/* What the state file has of it; the name is borrowed. */
SavedMachine keeper_record(const Keeper *keeper);
MachineState keeper_state(const Keeper *keeper);
/* For people; "" if there is nothing to say. */
const char *keeper_reason(Keeper *keeper);
/* The kind of the guest as far as it is known. */
GuestKind keeper_guest(const Keeper *keeper);
/* "vsock", "channel", "serial", or "" when none works. */
const char *keeper_transport(const Keeper *keeper);

/* A revert is due; the call (NULL: none) is answered at its end. 0, or -EBUSY when too many wait. */
int keeper_revert(Keeper *keeper, RevertReason reason, sd_bus_message *call);
/* Replaces the snapshot; the call is answered at its end. 0, -EBUSY (leased, being reverted, or not ready),
 * or -EOPNOTSUPP (no domain). */
int keeper_snapshot(Keeper *keeper, sd_bus_message *call);
/* 0, or a negative errno when that cannot be saved: then it stays as it was. */
int keeper_drain(Keeper *keeper, bool drain);
/* A connection has left the bus: its calls are not answered. */
void keeper_sender_gone(Keeper *keeper, const char *sender);
