/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a request ended: what the journal calls it, what Release() says of the guest, what the client is told.
 */

#include "common/macro.h"

typedef enum Verdict {
        /* A guest was leased. */
        VERDICT_CLEAN,
        VERDICT_TIMED_OUT, /* the agent ended the job */
        VERDICT_CONTAINED, /* our agent ended the job by another limit, or it killed itself: it is all gone
                            */
        VERDICT_KILLED,    /* by PBot's agent, which tells no more */
        VERDICT_NO_ANSWER, /* the time limit passed without an answer */
        VERDICT_PROTOCOL_ERROR,
        VERDICT_LOST,
        VERDICT_UNSENT, /* before the request had gone over it: another lease is asked for */
        /* None was. */
        VERDICT_ANSWERED, /* none was needed */
        VERDICT_RESETTING,
        VERDICT_OFFLINE,
        VERDICT_BUSY,
        VERDICT_REFUSED, /* by the watchdog, or for the size of a storage: the words come with it */
        VERDICT_NO_WATCHDOG,
        VERDICT_MISCONFIGURED,
        VERDICT_TOO_LONG,
        VERDICT_CLIENT_GONE,
        VERDICT_FAILED, /* out of memory and the like */
        _VERDICT_MAX,
} Verdict;

/* "clean", "timed-out" ...: the journal's PBOTVM_VERDICT. */
const char *verdict_name(Verdict verdict);
/* The outcome for Release(), or NULL where no guest was leased. */
const char *verdict_outcome(Verdict verdict);
/* What the client is told, or NULL where the answer has other words. */
const char *verdict_text(Verdict verdict);
/* The same for a guest that is connected to without the watchdog: nobody resets it. */
const char *verdict_text_direct(Verdict verdict);
/* Whether the request was run, or needed no guest: not so is a message of its own in the journal. */
bool verdict_is_good(Verdict verdict);
