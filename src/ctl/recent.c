/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/recent.h"

#include <pwd.h>
#include <stdio.h>

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

/* The journal itself notes the user of an entry; all other fields are what somebody wrote. */
static int add_matches(sd_journal *journal, const char *machine, const uid_t *users, size_t n_users) {
        _cleanup_text_ Text match = {};

        text_append_printf(&match, "PBOTVM_MACHINE=%s", machine);
        if (text_failed(&match))
                return -ENOMEM;
        int r = sd_journal_add_match(journal, match.data, match.size);
        /* Matches of one field are alternatives. */
        for (size_t i = 0; r >= 0 && i < n_users; i++) {
                char user[32];
                int n = snprintf(user, sizeof(user), "_UID=%u", users[i]);
                r = sd_journal_add_match(journal, user, (size_t)n);
        }
        return r;
}

int recent_read(sd_journal *journal, const char *machine, const uid_t *users, size_t n_users, unsigned lines,
        Text *text) {
        int r = lines > 0 ? add_matches(journal, machine, users, n_users) : -ENODATA;
        if (r >= 0)
                r = sd_journal_seek_tail(journal);
        if (r < 0)
                return r;

        int found = sd_journal_previous_skip(journal, lines);
        for (int i = 0; i < found; i++) {
                if (i == 0)
                        text_append_char(text, '\n');
                append_entry(text, journal);
                if (sd_journal_next(journal) <= 0)
                        break;
        }
        return MIN(found, 0);
}

void recent_append(Text *text, const char *machine, unsigned lines) {
        static const char *const names[] = { "root", "pbotvm", "pbotvm-watchdog" };
        _cleanup_(sd_journal_closep) sd_journal *journal = NULL;
        uid_t users[ELEMENTSOF(names)];
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const struct passwd *user = getpwnam(names[i]);
                if (user)
                        users[n++] = user->pw_uid;
        }
        if (n > 0 && sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY) >= 0)
                (void)recent_read(journal, machine, users, n, lines, text);
}
