/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/text.h"

/* Asks a guest's agent through its channel until it has answered so often, at most so long in all. Blocks.
 * pidfd: of the guest's QEMU. 0 or a negative errno, and why, for people. */
int ask_agent(const char *channel, int pidfd, unsigned answers, uint64_t limit_usec, Text *why);
