/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/password-agent.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/io.h"

#define READY_USEC (5 * USEC_PER_SEC)

static _noreturn_ void run_agent(int fd) {
        char number[16];

        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        (void)fcntl(fd, F_SETFD, 0);
        (void)snprintf(number, sizeof(number), "%d", fd);
        (void)execlp("pkttyagent", "pkttyagent", "--notify-fd", number, "--fallback", NULL);
        _exit(127);
}

pid_t password_agent_start(void) {
        int fds[2];

        /* Root needs none, and a script has nobody to ask. */
        if (geteuid() == 0 || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
                return 0;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return 0;

        pid_t pid = fork();
        if (pid == 0)
                run_agent(fds[1]);
        fd_close(fds[1]);
        if (pid > 0) /* the agent closes its end when it is ready, or by not being there */
                (void)io_wait(fds[0], POLLIN, usec_add(now_monotonic(), READY_USEC));
        fd_close(fds[0]);
        return pid > 0 ? pid : 0;
}

void password_agent_stop(pid_t pid) {
        if (pid <= 0)
                return;
        (void)kill(pid, SIGTERM);
        (void)kill(pid, SIGCONT);
        (void)waitpid(pid, NULL, 0);
}
