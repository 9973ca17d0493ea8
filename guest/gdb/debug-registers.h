/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/macro.h"

/* Whether the processor's debug registers tell of a write, found out by trying: some hypervisors, and QEMU's
 * emulation inside another machine, take what is written to them and do nothing. True where nobody can say.
 */
bool debug_registers_work(void);
