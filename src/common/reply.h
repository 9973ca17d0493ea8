/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a guest answers. One implementation for both ends: the agent writes it, the handler parses it. */

#include "common/frame.h"
#include "common/json.h"
#include "common/parts.h"

typedef struct Reply {
        Text result; /* UTF-8 */

        /* The members of "pbotvm"; present tells whether there is one (PBot's own agents send none). */
        bool present;
        char *id;    /* of the request; NULL: it had none */
        bool exited; /* exit_status is a number */
        int exit_status;
        char *signal; /* "SIGSEGV", or NULL */
        bool timed_out;
        bool oom;
        Parts parts;        /* whose the result's words are; empty: nobody said */
        bool parts_ignored; /* there were parts that do not fit the result */
        uint64_t truncated; /* bytes left out */
        uint64_t cpu_usec;
        uint64_t wall_usec;
        uint64_t max_rss_bytes;
        Text storage; /* a tar archive, decoded */
        bool have_storage;
        bool probed; /* written: the request was a probe, and is told what else this agent understands, */
        bool lanes;  /* here: of lanes */
} Reply;

/* The words of the member "speaks" of an answer to a probe, quotes included: a watchdog looks for them. */
#define SPEAKS_PROOF "\"proof\""
#define SPEAKS_LANES "\"lanes\""

void reply_done(Reply *reply);
#define _cleanup_reply_ _cleanup_(reply_done)

/* Appends the JSON of a reply. 0 or -ENOMEM. */
int reply_write(const Reply *reply, Text *json);

/* Parses what a reader collected, the way PBot's host does: malformed UTF-8 is made visible first
 * (utf8_append_escaped()), a missing or null result is empty, a newline is added to each result, raw lines
 * that follow are appended (a later "result:" object's result likewise). Parts that do not add up to the
 * first result are ignored; what is behind it is the agent's. 0, -EBADMSG (no object, broken JSON, lone
 * surrogate, wrong member of "pbotvm"), -ENOMEM. */
int reply_parse(const ReplyReader *reader, Reply *ret);
