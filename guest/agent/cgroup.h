/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The agent's own part of the cgroup tree (version 2), which systemd delegates to it:
 *
 *   pbotvm-guest.service/agent         the agent itself
 *   pbotvm-guest.service/jobs          what holds for all jobs together
 *   pbotvm-guest.service/jobs/job-N    one for each job
 *   pbotvm-guest.service/job-N         the agent's own, which must not suffer from what strangers' jobs do
 *
 * Where the kernel has no memory or pids controller for us, jobs are still started, killed and measured by
 * their cgroup, and cgroups_have() tells what is not limited. */

#include "common/request.h"

typedef enum CgroupController {
        CGROUP_CPU = 1 << 0,
        CGROUP_MEMORY = 1 << 1,
        CGROUP_PIDS = 1 << 2,
} CgroupController;

typedef struct Cgroups Cgroups;

/* Finds the tree, moves the process into a leaf and turns the controllers on. Jobs of an earlier agent that
 * are still there are killed. -ENOTSUP: no cgroup version 2 here. Other negative errno. */
int cgroups_new(Cgroups **ret);
Cgroups *cgroups_free(Cgroups *cgroups);
DEFINE_CLEANUP(Cgroups *, cgroups_free);
bool cgroups_have(const Cgroups *cgroups, CgroupController controller);
/* Limits the memory of all jobs together, if there is a controller for it; each gets a share of it from then
 * on (memory-shares.h). 0 or a negative errno. */
int cgroups_limit_memory(Cgroups *cgroups, uint64_t bytes);

typedef struct Cgroup {
        Cgroups *cgroups;
        int parent_fd; /* not owned */
        int fd;        /* the directory, for clone3(CLONE_INTO_CGROUP); -EBADF: none */
        char name[32];
} Cgroup;

/* How a cgroup was used and what it ran into. */
typedef struct CgroupUsage {
        uint64_t cpu_usec;
        bool oom;             /* the kernel killed something for memory */
        uint64_t memory_peak; /* then, bytes; 0: not known */
        bool pids_max;        /* a fork was refused */
} CgroupUsage;

/* Makes job-NUMBER with the limits' memory (no swap), or what others leave of it, and processes; own: the
 * agent's own job, apart from the others. A job that has more than its share now is killed. 0 or a negative
 * errno. */
int cgroup_make(Cgroups *cgroups, bool own, uint64_t number, const JobLimits *limits, Cgroup *ret);
/* Kills all in it. */
int cgroup_kill(const Cgroup *cgroup);
/* CPU time in usec so far. */
uint64_t cgroup_cpu_usec(const Cgroup *cgroup);
CgroupUsage cgroup_usage(const Cgroup *cgroup);
/* Closes it and removes it, and earlier ones that were not empty when they were to go. */
void cgroup_remove(Cgroup *cgroup);
