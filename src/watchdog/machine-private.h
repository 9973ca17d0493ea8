/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of a machine share: machine.c (what follows from the facts), which machine-state.c (what is
 * told of it) uses. */

#include "watchdog/machine.h"

/* Its agent answers, and its guest beats if it can. */
bool machine_is_alive(const Machine *machine);
/* Nobody accepts a connection. */
bool machine_is_refused(const Machine *machine);
