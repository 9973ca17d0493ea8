/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/debug-registers.h"

#ifdef __x86_64__

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

/* The first register, enabled for the process, for writes of eight bytes. */
#define CONTROL_WRITE_8 ((uintptr_t)(1 | 1 << 16 | 2 << 18))

static volatile uint64_t watched;

static _noreturn_ void write_once(void) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0)
                _exit(2);
        watched = 1;
        _exit(0);
}

static bool set_register(pid_t pid, size_t number, uintptr_t value) {
        return ptrace(PTRACE_POKEUSER, pid,
                       (void *)(offsetof(struct user, u_debugreg) + number * sizeof(uintptr_t)),
                       (void *)value) == 0;
}

/* 1: it told, 0: it did not, -1: it could not be tried. */
static int try(pid_t pid) {
        int status;

        if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
                return -1;
        /* A kernel that says no says it to gdb, too, which then steps. */
        if (!set_register(pid, 0, (uintptr_t)&watched) || !set_register(pid, 7, CONTROL_WRITE_8))
                return 0;
        if (ptrace(PTRACE_CONT, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid)
                return -1;
        return WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}

bool debug_registers_work(void) {
        pid_t pid = fork();
        int r;

        if (pid < 0)
                return true;
        if (pid == 0)
                write_once();
        r = try(pid);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return r != 0;
}

#else

bool debug_registers_work(void) {
        return true;
}

#endif
