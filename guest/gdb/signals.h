/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "common/macro.h"

/* The number of a signal by its name, "SIGSEGV"; 0 if it is none of this system. */
int signal_number(const char *name);

/* True if the process catches or ignores the signal, so that it does not end by it. */
bool signal_is_handled(pid_t pid, int number);
