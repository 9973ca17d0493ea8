/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "common/io.h"

int signal_number(const char *name) {
        const char *abbreviation = startswith(name, "SIG");

        for (int i = 1; abbreviation && i < NSIG; i++)
                if (streq_ptr(sigabbrev_np(i), abbreviation))
                        return i;
        return 0;
}

SignalAction signal_action(int number) {
        switch (number) {
        case SIGSTOP:
        case SIGTSTP:
        case SIGTTIN:
        case SIGTTOU:
                return SIGNAL_STOPS;
        case SIGCHLD:
        case SIGCONT:
        case SIGURG:
        case SIGWINCH:
                return SIGNAL_DOES_NOTHING;
        default:
                return SIGNAL_ENDS;
        }
}

static uint64_t read_mask(const char *status, const char *name) {
        const char *p = strstr(status, name);

        return p ? strtoull(p + strlen(name), NULL, 16) : 0;
}

bool signal_is_handled(pid_t pid, int number) {
        _cleanup_text_ Text status = {};
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%i/status", (int)pid);
        if (pid <= 0 || io_read_file(AT_FDCWD, path, 65536, &status) < 0)
                return false;
        return ((read_mask(text_string(&status), "\nSigCgt:") |
                        read_mask(text_string(&status), "\nSigIgn:")) >>
                       (number - 1)) &
               1;
}
