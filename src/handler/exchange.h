/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One request to a guest, one reply from it, over the descriptor of a lease. The guest is hostile: size and
 * time are bounded, and the reply is checked before anything else sees it. */

#include "common/frame.h"
#include "common/reply.h"
#include "common/request.h"
#include "config/config.h"
#include "handler/verdict.h"

typedef enum ExchangeResult {
        EXCHANGE_REPLY,    /* *verdict: clean, timed-out or killed; *reply is the guest's */
        EXCHANGE_TROUBLE,  /* *verdict: no-answer, protocol-error or lost */
        EXCHANGE_NOT_SENT, /* the channel was lost before all of the request was sent: it may be sent again
                            */
} ExchangeResult;

/* Sends request in the framing of guest and waits for the reply until deadline (CLOCK_MONOTONIC usec).
 * request's id is demanded back of our agent alone. stale: nobody has cleared the line before, so what
 * answers another request, or begins in the middle, is passed over. An ExchangeResult, or -ENOMEM. */
int exchange_run(int fd, const Request *request, GuestKind guest, bool stale, uint64_t deadline,
        Reply *reply, Verdict *verdict);

/* What a whole reply means. 0 with *verdict, which is protocol-error for one that is undecodable or of
 * another request; or -ENOMEM. id may be NULL. */
int exchange_judge(
        const ReplyReader *reader, GuestKind guest, const char *id, Reply *reply, Verdict *verdict);
