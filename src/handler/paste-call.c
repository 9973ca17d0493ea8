/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/paste-call.h"

#include "common/log.h"
#include "common/utf8.h"
#include "common/vm1.h"
#include "language/output.h"

/* What a line of IRC holds, nearly; no URL is longer. */
#define LINE_SIZE_MAX ((size_t)400)
/* The service itself gives the network 10 s. */
#define PASTE_USEC (12 * USEC_PER_SEC)

/* Its own refusals are for the client; what the bus says of an absent service is for the log. */
static const char *words_of(const sd_bus_error *error) {
        if (error->name && startswith(error->name, VM1_ERROR_PREFIX) && error->message)
                return error->message;
        log_warning("Failed to paste: %s: %s", error->name, error->message);
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) ||
                sd_bus_error_has_name(error, SD_BUS_ERROR_TIMEOUT))
                return "the paste service did not answer";
        return "the paste service is not running";
}

/* One line of what came from the network, fit for IRC like any output. 0 or -ENOMEM. */
static int append_line(Text *to, const char *string) {
        _cleanup_text_ Text clean = {};

        while (unicode_is_space((unsigned char)*string) && *string)
                string++;
        int r = output_clean(string, strcspn(string, "\r\n"), NULL, 0, &clean, NULL);
        if (r < 0)
                return r;
        size_t size = utf8_trimmed_size(text_string(&clean), clean.size);
        if (size > LINE_SIZE_MAX)
                for (size = LINE_SIZE_MAX; ((unsigned char)clean.data[size] & 0xc0) == 0x80;)
                        size--;
        text_append(to, text_string(&clean), size);
        return text_error(to);
}

/* A URL that was not cut, and nothing beside it. */
static bool is_url(const Text *line) {
        const char *s = text_string(line), *rest = startswith(s, "https://") ?: startswith(s, "http://");

        if (!rest || !*rest || line->size >= LINE_SIZE_MAX)
                return false;
        for (size_t i = 0; i < line->size; i++)
                if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f)
                        return false;
        return true;
}

/* What the client is told: *answer. */
static int tell(const char *url, const sd_bus_error *error, Text *answer) {
        _cleanup_text_ Text line = {};

        int r = url ? append_line(&line, url) : 0;
        if (r < 0)
                return r;
        if (!url || !is_url(&line)) {
                text_clear(&line);
                text_append_string(&line, "error pasting: ");
                r = append_line(&line, url ? "the paste service gave no URL" : words_of(error));
        }
        if (r >= 0)
                text_move(answer, &line);
        return r;
}

int paste_document(sd_bus *bus, const Text *document, uint64_t timeout_usec, Text *answer) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const char *s = NULL;

        int r = sd_bus_message_new_method_call(bus, &m, VM1_PASTE, VM1_PASTE_PATH, VM1_PASTE, "Paste");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", text_string(document));
        if (r >= 0)
                r = sd_bus_call(bus, m, MIN(timeout_usec, PASTE_USEC), &error, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &s);
        if (r == -ENOMEM)
                return r;

        if (r < 0 && !sd_bus_error_is_set(&error))
                (void)sd_bus_error_set_errno(&error, r);
        return tell(r < 0 ? NULL : s, &error, answer);
}
