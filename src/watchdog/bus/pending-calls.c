/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/bus/pending-calls.h"

int pending_calls_add(PendingCalls *pending, sd_bus_message *call) {
        if (pending->n == PENDING_CALLS_MAX)
                return -EBUSY;
        pending->calls[pending->n++] = sd_bus_message_ref(call);
        return 0;
}

void pending_calls_answer(PendingCalls *pending, const char *error, const char *text) {
        for (size_t i = 0; i < pending->n; i++) {
                if (error)
                        (void)sd_bus_reply_method_errorf(pending->calls[i], error, "%s", text);
                else
                        (void)sd_bus_reply_method_return(pending->calls[i], NULL);
                sd_bus_message_unref(pending->calls[i]);
        }
        pending->n = 0;
}

void pending_calls_sender_gone(PendingCalls *pending, const char *sender) {
        size_t n = 0;

        for (size_t i = 0; i < pending->n; i++)
                if (streq(sd_bus_message_get_sender(pending->calls[i]), sender))
                        sd_bus_message_unref(pending->calls[i]);
                else
                        pending->calls[n++] = pending->calls[i];
        pending->n = n;
}
