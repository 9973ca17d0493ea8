/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the journal has of a machine. */

#include "common/text.h"

/* Appends an empty line and the machine's last messages (of watchdog and handlers), oldest first; nothing if
 * there are none, or the journal may not be read. */
void recent_append(Text *text, const char *machine, unsigned lines);
