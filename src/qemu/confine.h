/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "qemu/definition.h"

/* Takes from this process, and what it executes, what no option of QEMU's takes: gaining privileges by
 * executing, and sockets of other kinds than the definition asks for. 0 or negative errno. */
int qemu_confine(const QemuDefinition *definition);
