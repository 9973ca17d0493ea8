/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How many clients there are at once. Each has a process, and systemd takes only so many connections
 * (MaxConnections= of pbotvm.socket): who holds one and says nothing has less time the more there are. */

#include "common/macro.h"

/* The number of handlers, this one included; 0 if it cannot be told. */
unsigned crowd_count(void);

/* How long a client may take to send its line, from connecting, while there are n of them. */
uint64_t crowd_patience(unsigned n);
