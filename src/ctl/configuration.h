/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The configuration as the services read it, for verbs that work without them. */

#include "config/config.h"

/* The host's root folder: a descriptor or negative errno. */
int configuration_root(void);
/* Reads the file, and the variables of /etc/default/pbotvm below root; those of the caller come first.
 * *errors has a line for each mistake, and *ret is NULL then. 0 or -ENOMEM. */
int configuration_read(int root, Config **ret, Text *errors);
/* Reads it, and finds the machine, which has to have a domain. 0 with *ret (the caller's) and *ret_machine
 * of it, or an exit code, told on stderr. */
int configuration_machine(const char *name, Config **ret, const MachineConfig **ret_machine);
/* The file that it is read from. */
const char *configuration_file(void);
