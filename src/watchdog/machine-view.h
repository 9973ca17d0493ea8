/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What anybody outside may know of a machine: one struct, by value, from which its properties on the bus,
 * its line of status and its saved state are made. Its strings are borrowed until the machine changes. */

#include "watchdog/machine.h"
#include "watchdog/state-file.h"

/* The properties on the bus: type and name of the struct's member, name and signature there, and the flags
 * of sd-bus, which tell changes only of those that are not another one each time. */
#define MACHINE_PROPERTIES(P)                                                                               \
        P(const char *, name, "Name", "s", SD_BUS_VTABLE_PROPERTY_CONST)                                    \
        P(const char *, domain, "Domain", "s", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)                         \
        P(const char *, policy, "Policy", "s", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)                         \
        P(const char *, state_name, "State", "s", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)                      \
        P(const char *, reason, "StateReason", "s", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)                    \
        P(int, drained, "Drained", "b", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)                                \
        P(uint64_t, generation, "Generation", "t", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)                     \
        P(const char *, guest, "Guest", "s", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)                           \
        P(const char *, transport, "Transport", "s", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)                   \
        P(uint32_t, queue, "Queue", "u", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)                               \
        P(uint32_t, leases, "Leases", "u", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)                             \
        P(uint64_t, requests, "Requests", "t", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)                         \
        P(uint64_t, reverts, "Reverts", "t", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)                           \
        P(uint64_t, revert_failures, "RevertFailures", "t", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)            \
        P(uint64_t, last_revert_usec, "LastRevertUSec", "t", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)           \
        P(const char *, last_revert_reason, "LastRevertReason", "s", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)   \
        P(uint64_t, snapshot_usec, "SnapshotUSec", "t", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)                \
        P(const char *, snapshot_made_by, "SnapshotMadeBy", "s", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)       \
        P(uint32_t, spares, "Spares", "u", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)                             \
        P(uint64_t, spare_failures, "SpareFailures", "t", SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)              \
        P(const char *, last_beat, "LastBeat", "s", 0)                                                      \
        P(uint64_t, heartbeat_age_usec, "HeartbeatAgeUSec", "t", 0)                                         \
        P(double, cpu_usage, "CPUUsage", "d", 0)

typedef struct MachineView {
#define MACHINE_PROPERTY_MEMBER(type, member, name, signature, flags) type member;
        MACHINE_PROPERTIES(MACHINE_PROPERTY_MEMBER)
#undef MACHINE_PROPERTY_MEMBER
        const uint64_t *reverts_by, *ended; /* of the machine, of the same names */
        const Hour *hour;
        MachineState state;
        SavedMachine saved;
} MachineView;
