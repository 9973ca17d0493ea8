/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job-limits.h"

#include <sys/resource.h>
#include <sys/sysinfo.h>

#define MIB ((uint64_t)1 << 20)

/* A job below these cannot even start its shell, so a request that asks for less gets these. */
#define MEMORY_MIN (16 * MIB)
#define PROCESSES_MIN ((uint64_t)8)
#define DISK_MIN ((uint64_t)64 << 10)

/* A quarter of the guest is not for jobs, but at most what a large one has use for. With an eighth, in a
 * guest of 1 GiB, the programs of the agent and the jobs were read from the disk again and again. */
#define ROOM_MAX (512 * MIB)

uint64_t limits_total_memory(void) {
        struct sysinfo info;

        if (sysinfo(&info) < 0)
                return 512 * MIB;
        return (uint64_t)info.totalram * info.mem_unit;
}

JobLimits limits_default(uint64_t total_memory) {
        uint64_t memory = MAX(total_memory / 10 * 6, 64 * MIB);

        return (JobLimits){
                .wall_usec = 9500 * USEC_PER_MSEC,
                .cpu_usec = 8 * USEC_PER_SEC,
                .process_cpu_usec = LIMIT_UNSET,
                .memory_bytes = memory,
                .processes = 200,
                .file_bytes = 2048000,
                .output_bytes = MIB,
                .disk_bytes = MIN(256 * MIB, memory / 2),
        };
}

uint64_t limits_all_memory(uint64_t total_memory) {
        return total_memory - MIN(total_memory / 4, ROOM_MAX);
}

JobLimits limits_resolve(const JobLimits *base, const JobLimits *request) {
        JobLimits limits = *base;

        job_limits_lower(&limits, request);
        limits.memory_bytes = MAX(limits.memory_bytes, MEMORY_MIN);
        limits.processes = MAX(limits.processes, PROCESSES_MIN);
        limits.disk_bytes = MAX(limits.disk_bytes, DISK_MIN);
        return limits;
}

uint64_t limits_inodes(const JobLimits *limits) {
        return MAX(limits->disk_bytes / 4096, (uint64_t)128);
}

uint64_t limits_process_cpu(const JobLimits *limits) {
        return MIN(limits->process_cpu_usec, limits->cpu_usec);
}

static int limit_set(int resource, uint64_t value) {
        struct rlimit limit;

        /* A process without privileges cannot raise what a small machine has low. */
        if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
                return -errno;
        limit.rlim_cur = limit.rlim_max = MIN((rlim_t)value, limit.rlim_max);
        return setrlimit((__rlimit_resource_t)resource, &limit) < 0 ? -errno : 0;
}

int limits_apply(const ProcessLimits *limits) {
        /* Soft and hard limit are the same, so that a process that is over its CPU time gets SIGKILL, as
         * under the shell's ulimit, and not SIGXCPU first. */
        const struct {
                int resource;
                uint64_t value;
        } table[] = {
                { RLIMIT_CPU, (limits->cpu_usec + USEC_PER_SEC - 1) / USEC_PER_SEC },
                { RLIMIT_FSIZE, limits->file_bytes },
                /* Not 0, which does not hold back a core_pattern that is a pipe; 1 does, and no file is that
                 * small. */
                { RLIMIT_CORE, 1 },
                { RLIMIT_NOFILE, 1024 },
                { RLIMIT_MEMLOCK, 64 << 10 },
                { RLIMIT_MSGQUEUE, 64 << 10 },
                /* Root is charged with it too, as with the quotas in namespaces.c. */
                { RLIMIT_SIGPENDING, 256 },
                { RLIMIT_NICE, 0 },
                { RLIMIT_RTPRIO, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                int r = limit_set(table[i].resource, table[i].value);
                if (r < 0)
                        return r;
        }
        return limits->processes == LIMIT_UNSET ? 0 : limit_set(RLIMIT_NPROC, limits->processes);
}
