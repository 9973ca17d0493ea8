/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The drop-in of pbotvm.socket: where it listens. */

#include "config/config.h"

/* Appends the drop-in to *ret; nothing when the configuration asks for what the unit itself has. 0 or
 * -ENOMEM. */
int drop_in_make(const Config *config, Text *ret);

/* Writes it to pbotvm.socket.d below the folder that systemd gave. 0 or a negative errno. */
int drop_in_write(const char *folder, const Text *drop_in);
