/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The machines as the service shows them. */

#include "ctl/ctl.h"

/* How often each of some things was there. */
typedef struct Counts {
        struct {
                char *name;
                uint64_t count;
        } * list;
        size_t n;
} Counts;

/* What a machine did in each of the last 60 minutes, the oldest first. */
#define HOUR_MINUTES 60
typedef enum HourRow {
        HOUR_ROW_BEATS,
        HOUR_ROW_REQUESTS,
        HOUR_ROW_REVERTS,
        _HOUR_ROW_MAX,
} HourRow;
const char *hour_row_name(HourRow row); /* "beats", "requests", "reverts" */
typedef struct LastHour {
        bool known; /* a service of an earlier version does not tell */
        uint32_t counts[_HOUR_ROW_MAX][HOUR_MINUTES];
} LastHour;

/* The properties of org.pbot.VM1.Machine; strings are never NULL after reading. */
typedef struct MachineInfo {
        char *name, *path;
        char *domain, *policy, *state, *state_reason, *guest, *transport, *last_revert_reason, *last_beat;
        uint64_t generation, requests, reverts, revert_failures, spare_failures;
        char *snapshot_made_by;
        uint64_t snapshot_usec;      /* CLOCK_REALTIME; 0: none, or not known */
        uint64_t last_revert_usec;   /* CLOCK_REALTIME; 0: none */
        uint64_t heartbeat_age_usec; /* USEC_INFINITY: no beat yet */
        uint32_t queue, leases, spares;
        int drained;
        double cpu_usage; /* of one processor: 1.0 is all of it */
        Counts reverts_by_reason, leases_by_outcome;
        LastHour last_hour;
} MachineInfo;

typedef struct Machines {
        MachineInfo *machines;
        size_t n;
} Machines;
void machines_done(Machines *machines);
#define _cleanup_machines_ _cleanup_(machines_done)

/* Lists the machines (name, path and state alone). 0, or an exit code, told on stderr. */
int machines_list(Ctl *ctl, Machines *ret);
/* Reads the other properties of one of them. 0, or an exit code, told on stderr. */
int machine_read(Ctl *ctl, MachineInfo *machine);
/* Finds the machine; if there is none of that name, says on stderr which there are. */
MachineInfo *machines_find(const Machines *machines, const char *name);

/* Does it take requests? */
bool machine_is_usable(const MachineInfo *machine);
