/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Takes over the history that PBot's own programs wrote: a file CHANNEL-LANGUAGE.hist, newest code first,
 * {"code":"..."} a line (2026) or plain text (2023). */

#include <time.h>

#include "edit/edit.h"

typedef enum ImportOutcome {
        IMPORT_DONE,
        IMPORT_SAME,  /* it was there already */
        IMPORT_TAKEN, /* there is another history, which stays */
        IMPORT_EMPTY, /* the file has no code */
} ImportOutcome;

typedef struct Import {
        ImportOutcome outcome;
        size_t codes; /* that are kept */
        size_t older; /* that are left out, for a file holds no more */
} Import;

/* Makes the codes of size bytes, as PBot wrote them, the history of channel and language. What PBot encodes
 * to UTF-8 twice is decoded. replace: also if there is another history. dry: only says what would be.
 * written: when the file was, by which one that is full forgets. 0 or negative errno. */
int history_import(History *history, const char *channel, const char *language, const char *data,
        size_t size, bool replace, bool dry, struct timespec written, Import *ret);
