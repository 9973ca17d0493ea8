/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Follows the guest's own journal, what is a warning or worse, so that the host knows the last of it when it
 * reverts a guest that hangs. journalctl reads it, for it may wait for a disk that hangs, and the agent
 * must not. */

#include <systemd/sd-event.h>

#include "common/text.h"

/* A line fits into one of the heartbeat's, with what stands in front of it there. */
#define JOURNAL_LINE_MAX 184
/* Of what comes faster than this, the newest are told when their time comes. */
#define JOURNAL_LINES_PER_SECOND 4
#define JOURNAL_HELD_MAX 8

typedef struct Journal Journal;
/* A line: printable bytes of ASCII alone, others having become '?'. */
typedef void (*JournalTell)(const char *line, void *userdata);

/* command: NULL-terminated, prints the lines as they come; NULL: journalctl. Without it, or when it ends,
 * nothing is told until it can be started again, a minute later. 0 or a negative errno. */
int journal_new(
        sd_event *event, const char *const *command, JournalTell tell, void *userdata, Journal **ret);
Journal *journal_free(Journal *journal);
DEFINE_CLEANUP(Journal *, journal_free);

/* To be called once a second. */
void journal_tick(Journal *journal);
