/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/idle-cpu.h"

#include "common/io.h"

void idle_cpu_reset(IdleCpu *cpu) {
        *cpu = (IdleCpu){ .usage = cpu->usage };
}

bool idle_cpu_sample(IdleCpu *cpu, uint64_t used_usec, bool idle, uint64_t requests, uint64_t now_usec) {
        bool first = cpu->taken_usec == 0 || used_usec < cpu->used_usec;

        /* Asked in between, for another reason. The regular question may be a little early. */
        if (!first && now_usec < usec_add(cpu->taken_usec, IDLE_CPU_SAMPLE_USEC * 9 / 10))
                return false;

        if (first)
                cpu->burning = 0;
        else {
                cpu->usage = (double)(used_usec - cpu->used_usec) / (double)(now_usec - cpu->taken_usec);
                bool burns = idle && requests == cpu->requests && cpu->usage > IDLE_CPU_LIMIT;
                cpu->burning = burns ? cpu->burning + 1 : 0;
        }
        cpu->used_usec = used_usec;
        cpu->taken_usec = now_usec;
        cpu->requests = requests;
        return cpu->burning >= IDLE_CPU_SAMPLES;
}
