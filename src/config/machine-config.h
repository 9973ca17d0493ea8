/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A machine's configuration, owned: a machine that is in use keeps its own over a reload. */

#include "config/config.h"

/* NULL without memory. */
MachineConfig *settings_copy(const MachineConfig *config);
MachineConfig *settings_free(MachineConfig *config);
DEFINE_CLEANUP(MachineConfig *, settings_free);
bool settings_equal(const MachineConfig *a, const MachineConfig *b);
