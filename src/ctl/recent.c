/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/recent.h"

#include <systemd/sd-journal.h>

#include "ctl/format.h"

#define MESSAGE_SHOWN 160

/* The value of a field of the current entry, cut; "" if it has none. */
static void get_field(sd_journal *journal, const char *name, char *ret, size_t size) {
        const void *data;
        size_t n, prefix = strlen(name) + 1;

        ret[0] = '\0';
        if (sd_journal_get_data(journal, name, &data, &n) < 0 || n <= prefix)
                return;
        n = MIN(n - prefix, size - 1);
        memcpy(ret, (const char *)data + prefix, n);
        ret[n] = '\0';
}

static void append_entry(Text *text, sd_journal *journal) {
        char message[MESSAGE_SHOWN + 1], identifier[64];
        uint64_t usec;

        if (sd_journal_get_realtime_usec(journal, &usec) < 0)
                return;
        get_field(journal, "MESSAGE", message, sizeof(message));
        get_field(journal, "SYSLOG_IDENTIFIER", identifier, sizeof(identifier));
        format_time(text, usec);
        text_append_string(text, " ");
        format_untrusted(text, identifier);
        text_append_string(text, ": ");
        format_untrusted(text, message);
        text_append_char(text, '\n');
}

void recent_append(Text *text, const char *machine, unsigned lines) {
        _cleanup_(sd_journal_closep) sd_journal *journal = NULL;
        _cleanup_text_ Text match = {};

        text_append_printf(&match, "PBOTVM_MACHINE=%s", machine);
        if (lines == 0 || text_failed(&match) || sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY) < 0 ||
                sd_journal_add_match(journal, match.data, match.size) < 0 ||
                sd_journal_seek_tail(journal) < 0)
                return;

        int found = sd_journal_previous_skip(journal, lines);
        for (int i = 0; i < found; i++) {
                if (i == 0)
                        text_append_char(text, '\n');
                append_entry(text, journal);
                if (sd_journal_next(journal) <= 0)
                        break;
        }
}
