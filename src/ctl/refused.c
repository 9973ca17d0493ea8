/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/refused.h"

#include <inttypes.h>

#include "ctl/format.h"

static void append_one(
        Text *text, const char *nick, const char *channel, uint32_t reverts, uint64_t left_usec) {
        text_append_string(text, "Refused: ");
        format_untrusted(text, nick);
        if (*channel) {
                text_append_string(text, " (");
                format_untrusted(text, channel);
                text_append_char(text, ')');
        }
        text_append_printf(text, ", %" PRIu32 " reverts, for ", reverts);
        format_span(text, left_usec);
        text_append_char(text, '\n');
}

void refused_append(Ctl *ctl, Text *text) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *nick, *channel;
        uint64_t left_usec;
        uint32_t reverts;
        bool any = false;

        int r = sd_bus_get_property(
                ctl->bus, VM1_NAME, VM1_PATH, VM1_MANAGER, "RefusedNicks", NULL, &reply, "a(ssut)");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ssut)");
        while (r >= 0 &&
                (r = sd_bus_message_read(reply, "(ssut)", &nick, &channel, &reverts, &left_usec)) > 0) {
                if (!any)
                        text_append_char(text, '\n');
                any = true;
                append_one(text, nick, channel, reverts, left_usec);
        }
}
