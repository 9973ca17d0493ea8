/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/verdict.h"

#include "common/vm1.h"

static const struct {
        const char *name;
        const char *outcome;
        const char *text;
        const char *text_direct; /* NULL: the same */
} verdicts[_VERDICT_MAX] = {
        [VERDICT_CLEAN] = { "clean", "clean", NULL },
        [VERDICT_TIMED_OUT] = { "timed-out", "timed-out", NULL },
        [VERDICT_CONTAINED] = { "contained", "contained", NULL },
        [VERDICT_KILLED] = { "killed", "killed", NULL },
        [VERDICT_NO_ANSWER] = { "no-answer", "timed-out", "[Timed-out]" },
        [VERDICT_PROTOCOL_ERROR] = { "protocol-error", "protocol-error",
                "Virtual machine gave no valid answer; it is being reset.",
                "Virtual machine gave no valid answer." },
        [VERDICT_LOST] = { "lost", "lost", "Virtual machine was lost while running this; it is being reset.",
                "Virtual machine was lost while running this." },
        [VERDICT_UNSENT] = { "unsent", "unsent", VM1_TEXT_RESETTING },
        [VERDICT_ANSWERED] = { "answered", NULL, NULL },
        [VERDICT_RESETTING] = { "resetting", NULL, VM1_TEXT_RESETTING },
        [VERDICT_OFFLINE] = { "offline", NULL, VM1_TEXT_OFFLINE },
        [VERDICT_BUSY] = { "busy", NULL, VM1_TEXT_BUSY },
        [VERDICT_REFUSED] = { "refused", NULL, NULL },
        [VERDICT_NO_WATCHDOG] = { "no-watchdog", NULL, VM1_TEXT_NOT_RUNNING },
        [VERDICT_MISCONFIGURED] = { "misconfigured", NULL,
                "Virtual machine service is misconfigured; see its log." },
        [VERDICT_TOO_LONG] = { "too-long", NULL, "Request is too long." },
        [VERDICT_CLIENT_GONE] = { "client-gone", NULL, NULL },
        [VERDICT_FAILED] = { "failed", NULL, "Fatal error." },
};

const char *verdict_name(Verdict verdict) {
        return verdicts[verdict].name;
}

const char *verdict_outcome(Verdict verdict) {
        return verdicts[verdict].outcome;
}

const char *verdict_text(Verdict verdict) {
        return verdicts[verdict].text;
}

const char *verdict_text_direct(Verdict verdict) {
        return verdicts[verdict].text_direct ?: verdicts[verdict].text;
}

bool verdict_is_good(Verdict verdict) {
        return verdict == VERDICT_ANSWERED || verdict <= VERDICT_KILLED;
}
