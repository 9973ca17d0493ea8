/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the journal has of a machine. */

#include <systemd/sd-journal.h>

#include "common/text.h"

/* Appends an empty line and the machine's last messages (of watchdog, handlers and root), oldest first;
 * nothing if there are none, or the journal may not be read. */
void recent_append(Text *text, const char *machine, unsigned lines);

/* The same from a journal that is open, for the users given: what others say of a machine is not ours. 0 or
 * negative errno. */
int recent_read(sd_journal *journal, const char *machine, const uid_t *users, size_t n_users, unsigned lines,
        Text *text);
