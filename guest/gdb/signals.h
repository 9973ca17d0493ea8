/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "common/macro.h"

/* The number of a signal by its name, "SIGSEGV"; 0 if it is none of this system. */
int signal_number(const char *name);

/* What a signal does to a process that neither catches nor ignores it. */
typedef enum SignalAction {
        SIGNAL_ENDS,
        SIGNAL_STOPS,
        SIGNAL_DOES_NOTHING,
} SignalAction;

SignalAction signal_action(int number);

/* True if the process catches or ignores the signal, so that it does not end by it. */
bool signal_is_handled(pid_t pid, int number);
