/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A job's pid 1. It takes commands from the agent, runs steps and reaps what the job leaves behind. It reads
 * nothing that the job makes, cannot be traced, and signals from within its namespace do not reach it. */
#include "sandbox.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <fcntl.h>

typedef struct Init {
        const SandboxSpec *spec;
        pid_t step_pid; /* 0: no step runs */
        uint32_t step;
} Init;

static void report(const Init *init, SandboxReportKind kind, int value, const char *where) {
        SandboxReport r = { .kind = kind, .step = init->step, .value = value };
        struct rusage usage;
        struct statvfs disk;

        if (getrusage(RUSAGE_CHILDREN, &usage) >= 0)
                r.max_rss_bytes = (uint64_t)usage.ru_maxrss << 10;
        if (kind != SANDBOX_BROKEN && statvfs("/tmp", &disk) >= 0)
                r.disk_full = disk.f_bavail == 0 || disk.f_ffree == 0;
        if (where)
                (void)snprintf(r.where, sizeof(r.where), "%s", where);
        (void)send(init->spec->control_fd, &r, sizeof(r), MSG_NOSIGNAL);
}

/* Closes all but what the steps and the control need: a descriptor of the agent's that stayed open here
 * would keep a client's connection open until the job ends. */
static void descriptors_close(const SandboxSpec *spec) {
        int keep[4 * SANDBOX_STEPS_MAX + 4];
        size_t n = 0;

        keep[n++] = spec->control_fd;
        if (spec->namespaces.user_fd >= 0)
                keep[n++] = spec->namespaces.user_fd;
        if (spec->namespaces.network_fd >= 0)
                keep[n++] = spec->namespaces.network_fd;
        if (spec->bind.fd >= 0)
                keep[n++] = spec->bind.fd;
        for (size_t i = 0; i < spec->n_steps; i++) {
                const int fds[] = { spec->steps[i].in_fd, spec->steps[i].out_fd, spec->steps[i].err_fd,
                        spec->steps[i].notes_fd };
                for (size_t j = 0; j < ELEMENTSOF(fds); j++)
                        if (fds[j] >= 0)
                                keep[n++] = fds[j];
        }

        /* Between one kept descriptor and the next larger one everything goes. */
        int last = STDERR_FILENO;
        for (;;) {
                int next = INT32_MAX;
                for (size_t i = 0; i < n; i++)
                        if (keep[i] > last && keep[i] < next)
                                next = keep[i];
                if (next > last + 1)
                        (void)close_range((unsigned)last + 1, (unsigned)next - 1, 0);
                if (next == INT32_MAX)
                        return;
                last = next;
        }
}

static int standard_descriptors(void) {
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        for (int i = 0; i <= STDERR_FILENO; i++)
                if (fd != i && dup2(fd, i) < 0)
                        return -errno;
        if (fd > STDERR_FILENO)
                fd_close(fd);
        return 0;
}

/* What is left is what steps need to become the user. */
static int capabilities_drop(void) {
        const uint32_t keep = 1u << CAP_SETUID | 1u << CAP_SETGID;
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { { .effective = keep, .permitted = keep } };

        int r = sandbox_bound_capabilities();
        if (r < 0)
                return r;
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* The user namespace is for the steps alone: here the powers of the agent are still needed. */
static int network_enter(Namespaces *namespaces) {
        if (namespaces->network_fd < 0) {
                int r = namespaces_make(namespaces);
                if (r < 0)
                        return r;
        }
        return setns(namespaces->network_fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

/* Process numbers as on a machine that has run for a while: they appear in what shells say of killed
 * programs, and some programs take theirs for a random number. */
static void numbers_begin(void) {
        char text[16];
        uint16_t random = 0;

        _cleanup_close_ int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
        if (fd < 0 || getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
                return;
        int n = snprintf(text, sizeof(text), "%i", 10000 + random % 16000);
        (void)write(fd, text, (size_t)n);
}

static void step_close(const SandboxStep *step) {
        fd_close(step->out_fd);
        fd_close(step->err_fd);
        fd_close(step->in_fd);
}

/* The child says by a pipe that closes at exec why there was none. Returns 0, or a positive errno. */
static int step_fork(Init *init, const SandboxStep *step) {
        int trouble[2], problem = 0;

        if (pipe2(trouble, O_CLOEXEC) < 0)
                return errno;
        pid_t pid = fork();
        if (pid == 0) {
                fd_close(init->spec->control_fd);
                fd_close(trouble[0]);
                problem = -sandbox_step(init->spec, step);
                (void)write(trouble[1], &problem, sizeof(problem));
                _exit(127);
        }

        int saved = errno;
        fd_close(trouble[1]);
        if (pid < 0)
                problem = saved;
        else if (read(trouble[0], &problem, sizeof(problem)) != (ssize_t)sizeof(problem))
                problem = 0;
        fd_close(trouble[0]);
        if (problem == 0)
                init->step_pid = pid;
        return problem;
}

static void step_run(Init *init, uint32_t n) {
        if (n >= init->spec->n_steps || init->step_pid > 0)
                return;
        init->step = n;

        int problem = step_fork(init, &init->spec->steps[n]);
        step_close(&init->spec->steps[n]);
        if (problem > 0)
                report(init, SANDBOX_NOT_STARTED, problem, NULL);
}

static void reap(Init *init) {
        for (;;) {
                int status;
                pid_t pid = waitpid(-1, &status, WNOHANG);
                if (pid <= 0)
                        return;
                if (pid == init->step_pid) {
                        init->step_pid = 0;
                        report(init, SANDBOX_ENDED, status, NULL);
                }
        }
}

/* kill(-1) as the user: it reaches all of the user's here but the one that calls it, at once, so that none
 * has time to fork. */
static void kill_all(const SandboxSpec *spec) {
        pid_t pid = fork();

        /* No room for one more process: the end of the init ends them too, and the storage is not kept. */
        if (pid < 0)
                _exit(1);
        if (pid == 0) {
                uid_t uid = spec->namespaces.outside.uid;
                if (setresuid(uid, uid, uid) < 0)
                        _exit(1);
                (void)kill(-1, SIGKILL);
                _exit(0);
        }
}

static void clear(Init *init) {
        kill_all(init->spec);
        while (waitpid(-1, NULL, 0) > 0)
                ;
        init->step_pid = 0;
        report(init, SANDBOX_CLEARED, 0, NULL);
}

static void child_handler(_unused_ int signal) {
}

static void obey(Init *init) {
        SandboxCommand command;
        ssize_t n = recv(init->spec->control_fd, &command, sizeof(command), MSG_DONTWAIT);

        if (n == 0)
                _exit(0); /* the agent is gone */
        if (n != (ssize_t)sizeof(command))
                return;
        if (command.kind == SANDBOX_RUN)
                step_run(init, command.step);
        else if (command.kind == SANDBOX_CLEAR)
                clear(init);
}

/* SIGCHLD is only let in while it waits, so none is missed. */
static void serve(Init *init) {
        struct sigaction action = { .sa_handler = child_handler };
        sigset_t all, waiting;

        (void)sigaction(SIGCHLD, &action, NULL);
        sigfillset(&all);
        (void)sigprocmask(SIG_SETMASK, &all, NULL);
        waiting = all;
        sigdelset(&waiting, SIGCHLD);

        for (;;) {
                struct pollfd p = { .fd = init->spec->control_fd, .events = POLLIN };
                reap(init);
                if (ppoll(&p, 1, NULL, &waiting) > 0)
                        obey(init);
        }
}

void sandbox_init(const SandboxSpec *given) {
        SandboxSpec spec = *given;
        Init init = { .spec = &spec };
        const char *where = "process";

        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        (void)prctl(PR_SET_NAME, "job-init", 0, 0, 0);
        (void)setsid();
        /* What is made for the job has the mode that is asked for. */
        (void)umask(0);
        descriptors_close(&spec);

        int r = sandbox_mount(&spec, &where);
        /* Not earlier: a change of the user for files takes it away. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (r >= 0) {
                where = "network";
                r = network_enter(&spec.namespaces);
        }
        if (r >= 0) {
                numbers_begin();
                where = "standard descriptors";
                r = standard_descriptors();
        }
        if (r >= 0) {
                where = "capabilities";
                r = capabilities_drop();
        }
        if (r < 0) {
                report(&init, SANDBOX_BROKEN, -r, where);
                _exit(1);
        }
        serve(&init);
        _exit(0);
}

int sandbox_spawn(const SandboxSpec *spec, pid_t *ret_pid) {
        int pidfd = -EBADF;
        struct clone_args args = {
                .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD |
                         CLONE_INTO_CGROUP,
                .pidfd = (uint64_t)(uintptr_t)&pidfd,
                .exit_signal = SIGCHLD,
                .cgroup = (uint64_t)spec->cgroup_fd,
        };

        /* The process has one thread, so the copy may do all that it may. */
        pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
        if (pid < 0)
                return -errno;
        if (pid == 0)
                sandbox_init(spec);
        *ret_pid = pid;
        return pidfd;
}
