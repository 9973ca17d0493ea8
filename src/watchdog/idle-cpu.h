/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether an idle guest burns CPU: over 25 % of one in two samples of 15 s during which nobody leased it. No
 * I/O and no clock: what the backend says comes in, with the time (CLOCK_MONOTONIC, usec). */

#include "common/macro.h"

#define IDLE_CPU_SAMPLE_USEC (15 * USEC_PER_SEC)
#define IDLE_CPU_LIMIT 0.25
#define IDLE_CPU_SAMPLES 2

typedef struct IdleCpu {
        uint64_t used_usec;  /* at the last sample */
        uint64_t taken_usec; /* when it was; 0: there is none yet */
        uint64_t requests;   /* counter of the machine's, then */
        unsigned burning;    /* samples in a row */
        double usage;        /* in the last one, of one CPU: 0 to the number of CPUs */
} IdleCpu;

/* A new run of the domain: its CPU time begins again. */
void idle_cpu_reset(IdleCpu *cpu);
/* Takes a sample, if it is time for one. idle: nobody leases the machine now; requests: how many were served
 * so far. Returns true when it has burnt for long enough to be reverted. */
bool idle_cpu_sample(IdleCpu *cpu, uint64_t used_usec, bool idle, uint64_t requests, uint64_t now_usec);
