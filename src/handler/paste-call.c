/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/paste-call.h"

#include "common/log.h"

/* The service itself gives the network 10 s. */
#define PASTE_USEC (12 * USEC_PER_SEC)

/* Its own refusals are for the client; what the bus says of an absent service is for the log. */
static const char *words_of(const sd_bus_error *error) {
        if (error->name && startswith(error->name, "org.pbot.VM1.Error.") && error->message)
                return error->message;
        log_warning("Failed to paste: %s: %s", error->name, error->message);
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) ||
                sd_bus_error_has_name(error, SD_BUS_ERROR_TIMEOUT))
                return "the paste service did not answer";
        return "the paste service is not running";
}

int paste_document(sd_bus *bus, const Text *document, Text *answer) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_text_ Text url = {};
        const char *s = NULL;

        int r = sd_bus_message_new_method_call(
                bus, &m, "org.pbot.VM1.Paste", "/org/pbot/VM1/Paste", "org.pbot.VM1.Paste", "Paste");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", text_string(document));
        if (r >= 0)
                r = sd_bus_call(bus, m, PASTE_USEC, &error, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &s);
        if (r == -ENOMEM)
                return r;

        if (r < 0 && !sd_bus_error_is_set(&error))
                (void)sd_bus_error_set_errno(&error, r);
        if (r < 0)
                text_append_printf(&url, "error pasting: %s", words_of(&error));
        else
                text_append_string(&url, s);
        r = text_error(&url);
        if (r >= 0)
                text_move(answer, &url);
        return r;
}
