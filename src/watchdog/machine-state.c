/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told of a machine: its state, why it has it, and what whoever waits for it may hope for. */
#include <assert.h>

#include "common/io.h"
#include "watchdog/machine-private.h"

static const char *const state_table[_MACHINE_STATE_MAX] = {
        [MACHINE_OFFLINE] = "offline",
        [MACHINE_STARTING] = "starting",
        [MACHINE_READY] = "ready",
        [MACHINE_BUSY] = "busy",
        [MACHINE_REVERTING] = "reverting",
        [MACHINE_FAILED] = "failed",
        [MACHINE_DRAINED] = "drained",
};

static const char *const link_table[] = {
        [LINK_DOWN] = "down",
        [LINK_REFUSED] = "refused",
        [LINK_SILENT] = "silent",
        [LINK_PROVEN] = "proven",
};

static const char *const run_table[] = {
        [RUN_UNKNOWN] = "unknown",
        [RUN_RUNNING] = "running",
        [RUN_SAVING] = "saving",
        [RUN_OFF] = "off",
        [RUN_PAUSED] = "paused",
        [RUN_CRASHED] = "crashed",
        [RUN_MISSING] = "missing",
};

const char *link_fact_to_string(LinkFact fact) {
        return link_table[fact];
}

const char *run_fact_to_string(RunFact fact) {
        return run_table[fact];
}

const char *machine_state_to_string(MachineState state) {
        assert(state < _MACHINE_STATE_MAX);
        return state_table[state];
}

MachineState machine_state(const Machine *machine) {
        if (machine->resetting)
                return MACHINE_REVERTING;
        if (machine->leases > 0)
                return MACHINE_BUSY;
        if (machine->due != REVERT_NONE) {
                if (machine->run == RUN_MISSING)
                        return MACHINE_OFFLINE;
                return machine->failures > 1 || machine->way == WAY_NO_SNAPSHOT ||
                                       machine->way == WAY_REFUSED
                               ? MACHINE_FAILED
                               : MACHINE_REVERTING;
        }
        if (machine->drained)
                return MACHINE_DRAINED;
        if (machine_is_alive(machine))
                return MACHINE_READY;
        /* Just after a revert its sockets are not there yet. */
        bool appearing = machine->run == RUN_RUNNING && machine->excused_usec > 0;
        return machine_is_refused(machine) && !appearing ? MACHINE_OFFLINE : MACHINE_STARTING;
}

static const char *unwell_reason(const Machine *machine) {
        if (machine->run == RUN_MISSING)
                return machine->obstacles[WAY_NO_MACHINE];
        if (machine->run == RUN_OFF)
                return "the domain is off";
        if (machine->run == RUN_PAUSED)
                return "the domain is paused";
        if (machine->run == RUN_CRASHED)
                return "the guest crashed";
        if (machine->pulse == PULSE_REFUSED)
                return "its heartbeat cannot be connected to";
        if (machine->link == LINK_REFUSED)
                return "its agent cannot be connected to";
        if (machine->pulse == PULSE_WAITING)
                return "no heartbeat yet";
        if (machine->pulse == PULSE_LOST)
                return "the heartbeat stopped";
        return "no answer yet";
}

const char *machine_state_reason(const Machine *machine) {
        switch (machine_state(machine)) {
        case MACHINE_OFFLINE:
        case MACHINE_STARTING:
                return unwell_reason(machine);
        case MACHINE_REVERTING:
        case MACHINE_FAILED:
                return revert_reason_to_string(machine->due);
        case MACHINE_BUSY:
                /* Empty unless a revert waits for the lease. */
                return revert_reason_to_string(machine->due);
        case MACHINE_DRAINED:
                return revert_reason_to_string(REVERT_OPERATOR);
        default:
                return "";
        }
}

const char *machine_obstacle(const Machine *machine) {
        return machine->due != REVERT_NONE && machine_reverts(machine) ? machine->obstacles[machine->way]
                                                                       : "";
}

bool machine_is_hopeless(const Machine *machine, bool is_operator, uint64_t now_usec) {
        if (machine->drained && !is_operator)
                return true;
        return machine->leases == 0 && machine->offline_usec > 0 &&
               (!machine_reverts(machine) || machine->run == RUN_MISSING) &&
               now_usec >= usec_add(machine->offline_usec, MACHINE_HOPELESS_USEC);
}

Prospect machine_prospect(const Machine *machine) {
        if (machine->drained)
                return PROSPECT_OFFLINE;
        switch (machine_state(machine)) {
        case MACHINE_READY:
        case MACHINE_BUSY:
                return PROSPECT_BUSY;
        case MACHINE_OFFLINE:
        case MACHINE_DRAINED:
                return PROSPECT_OFFLINE;
        case MACHINE_FAILED:
                return machine->run == RUN_OFF ? PROSPECT_OFFLINE : PROSPECT_RESETTING;
        default:
                return PROSPECT_RESETTING;
        }
}
