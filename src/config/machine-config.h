/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A machine's configuration, owned: a machine that is in use keeps its own over a reload. */

#include "config/config.h"
#include "config/uri.h"

/* Frees its strings. */
void machine_config_done(MachineConfig *config);
/* NULL without memory. */
MachineConfig *machine_config_copy(const MachineConfig *config);
MachineConfig *machine_config_free(MachineConfig *config);
DEFINE_CLEANUP(MachineConfig *, machine_config_free);
/* True if no member of one is otherwise in the other. */
bool machine_config_equal(const MachineConfig *a, const MachineConfig *b);

/* True if its domain is on another host: sockets, ports and CIDs of this one are not its. */
bool machine_config_is_remote(const MachineConfig *config);
