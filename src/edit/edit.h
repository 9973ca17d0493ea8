/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* History and interactive editing: show, undo, s/a/b/, replace, copy, diff ... One directory holds it all.
 */

#include "common/text.h"

typedef struct History History;

/* A file is read whole: no larger one is read. */
#define HISTORY_READ_MAX ((size_t)64 << 20)

/* Opens (makes, 0700) the state directory; path NULL: nothing is kept. max_file, max_total: caps in bytes. 0
 * or negative errno; *ret is usable also after an error of the directory itself: history is then empty and
 * not kept. */
int history_open(const char *path, uint64_t max_file, uint64_t max_total, History **ret);
History *history_free(History *history);
DEFINE_CLEANUP(History *, history_free);
/* The directory's descriptor, for confinement; -EBADF if there is none. */
int history_fd(const History *history);

typedef enum EditOutcome {
        EDIT_RUN,    /* run text */
        EDIT_SHOW,   /* show text, without the options it begins with, do not run it */
        EDIT_ANSWER, /* text is the answer, without a final newline */
} EditOutcome;

typedef struct Edit {
        EditOutcome outcome;
        bool paste; /* the result is to be pasted */
        Text text;
} Edit;
void edit_done(Edit *edit);

/* What a typed line means, given what was run before in that channel and language (the word as requested),
 * and the new state of that history. options: words with a dash in front of it are options, behind which a
 * command may stand. 0 or -ENOMEM: troubles of the disk are logged, not returned.
 * Substitution patterns come from strangers and are bounded in time and memory. */
int edit_apply(History *history, const char *channel, const char *language, const char *code, size_t size,
        bool options, Edit *ret);

/* The last output of channel and language. Returns 1 if output is to be answered by "Same output.": the
 * channel begins with #, output has more than 50 characters, it is the same as the last, at most 240 s old
 * (now_usec is CLOCK_REALTIME), and no_repeat is true (false for factoids, which are always shown).
 * Otherwise stores output and returns 0. */
int history_output(History *history, const char *channel, const char *language, const char *output,
        size_t size, bool no_repeat, uint64_t now_usec);
