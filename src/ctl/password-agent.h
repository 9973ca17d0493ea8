/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* polkit asks a person at a terminal through pkttyagent(1), which has to run meanwhile. */

#include <sys/types.h>

/* Starts it and waits until it listens. Returns its pid, or 0 if there is none: polkit then uses the
 * desktop's agent, or refuses. */
pid_t password_agent_start(void);
/* Ends it; 0 is nothing. */
void password_agent_stop(pid_t pid);
