/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/child.h"

#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/io.h"

#define EXIT_NOT_EXECUTED 127

int child_start(
        char *const *arguments, int (*prepare)(const void *userdata), const void *userdata, Child *ret) {
        pid_t parent = getpid(), pid = fork();

        if (pid < 0)
                return -errno;
        if (pid == 0) {
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) >= 0 && getppid() == parent &&
                        (!prepare || prepare(userdata) >= 0))
                        (void)execvp(arguments[0], arguments);
                _exit(EXIT_NOT_EXECUTED);
        }
        *ret = (Child){ pid, pidfd_open(pid, 0) };
        if (ret->pidfd >= 0)
                return 0;
        int r = -errno;
        child_kill(ret);
        return r;
}

static int reap(Child *child) {
        siginfo_t info = {};

        int r = waitid(P_PID, (id_t)child->pid, &info, WEXITED) < 0 ? -errno : 0;
        fd_close(child->pidfd);
        *child = CHILD_NONE;
        if (r < 0)
                return r;
        return info.si_code == CLD_EXITED ? info.si_status : -EINTR;
}

int child_wait(Child *child, uint64_t limit_usec) {
        int r = io_wait(child->pidfd, POLLIN, usec_add(now_monotonic(), limit_usec));

        return r < 0 ? r : reap(child);
}

void child_kill(Child *child) {
        if (child->pid == 0)
                return;
        (void)kill(child->pid, SIGKILL);
        (void)reap(child);
}
