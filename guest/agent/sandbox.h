/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job's world: its namespaces, its files, its limits, and the process that is pid 1 in it.
 *
 * The agent clones that process (sandbox_spawn()) into the job's cgroup and new pid, mount, ipc and uts
 * namespaces. It builds the job's view of the file system, enters the job's network, gives up what it does
 * not need, and then runs steps as the agent tells it to by a socket; each step is a child that enters the
 * job's user namespace and becomes user vm. When it ends, the kernel ends all of its pid namespace, and the
 * job's files go with its mount namespace: nobody has to remove them. */

#include <sys/types.h>

#include "job-limits.h"
#include "namespaces.h"
#include "syscall-filter.h"

#define SANDBOX_STEPS_MAX 4

typedef struct SandboxStep {
        char *const *argv;
        char *const *direct; /* tried first, as the shell in argv would run it; NULL: nothing */
        char *const *env;    /* NAME=value added to the job's environment, or NULL */
        int in_fd;           /* standard input; -EBADF: spec->input if stdin_file, else nothing */
        bool stdin_file;
        bool home;        /* the working directory is the home directory, not the job's own below it */
        bool write_files; /* the source is written first */
        int out_fd, err_fd;
        int notes_fd; /* is put at NOTES_FD, see plan/notes.h; -EBADF: none */
        ProcessLimits limits;
} SandboxStep;

/* The storage: a directory inside the home directory. */
typedef struct SandboxBind {
        const char *name; /* NULL: none */
        int fd; /* a detached mount, open_tree(2), that is put there; -EBADF: an empty directory of the job's
                   own */
} SandboxBind;

typedef struct SandboxSpec {
        const char *user;
        uint64_t number; /* the working directory is HOME/NUMBER */
        const JobLimits *limits;
        bool count_processes; /* even without a user namespace, for all jobs together */
        const SeccompFilter *filter;
        bool write_rules;        /* see write-rules.h; else the root is read only */
        const char *source_name; /* NULL: none */
        const Text *source;
        const Text *input;
        SandboxBind bind;
        SandboxStep steps[SANDBOX_STEPS_MAX];
        size_t n_steps;
        int cgroup_fd;
        unsigned jobs;         /* that may run at once */
        Namespaces namespaces; /* and who the user is; without a network: they are made */
        int control_fd;        /* a SOCK_SEQPACKET socket: commands in, reports out */
} SandboxSpec;

typedef enum SandboxCommandKind {
        SANDBOX_RUN = 1, /* run step n */
        SANDBOX_CLEAR,   /* kill and reap all processes of the job, then report */
} SandboxCommandKind;

typedef struct SandboxCommand {
        uint32_t kind;
        uint32_t step;
} SandboxCommand;

typedef enum SandboxReportKind {
        SANDBOX_BROKEN = 1,  /* it could not be built: value is an errno, where says what */
        SANDBOX_NOT_STARTED, /* the step could not be started: value is an errno */
        SANDBOX_ENDED,       /* the step's process ended: value is a status as of waitpid(2) */
        SANDBOX_CLEARED,     /* no process of the job is left */
} SandboxReportKind;

typedef struct SandboxReport {
        uint32_t kind;
        uint32_t step;
        int32_t value;
        uint32_t disk_full;     /* no room or no inode was left on the job's disk */
        uint64_t max_rss_bytes; /* the largest of the processes so far */
        char where[32];
} SandboxReport;

/* Starts a job's init. It waits for its first command. Returns a pidfd, or a negative errno. The descriptors
 * in spec stay the caller's. */
int sandbox_spawn(const SandboxSpec *spec, pid_t *ret_pid);

/* Inside, with an empty umask: builds the view of the file system; *ret_where says what failed. (mounts.c)
 */
int sandbox_mount(const SandboxSpec *spec, const char **ret_where);
/* Inside: pid 1. (init.c) */
void sandbox_init(const SandboxSpec *spec) _noreturn_;
/* Inside: no program may have a capability any more, whatever its file says. 0 or a negative errno.
 * (capabilities.c) */
int sandbox_bound_capabilities(void);
/* Inside, in a child of it: becomes the step; returns a negative errno only on failure. (step.c) */
int sandbox_step(const SandboxSpec *spec, const SandboxStep *step);
