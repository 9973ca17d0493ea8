/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/doctor/words.h"

#include "ctl/format.h"

void words_quote(Text *text, const char *word) {
        static const char plain[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-";

        if (*word && word[strspn(word, plain)] == '\0')
                text_append_string(text, word);
        else
                text_append_quoted(text, word);
}

/* What a name in braces stands for; NULL: it is no such name. */
static const char *value_of(const char *name, size_t size, const Patient *patient, const Found *found) {
        const struct {
                const char *name, *value;
        } values[] = {
                { "machine", patient->machine ? patient->machine->name : NULL },
                { "domain", patient->machine ? patient->machine->domain : NULL },
                { "snapshot", patient->machine ? patient->machine->snapshot : NULL },
                { "uri", patient->hypervisor ? patient->hypervisor->uri : NULL },
                { "config", patient->config_file },
                { "what", text_string(&found->what) },
                { "mend", text_string(&found->mend) },
        };

        for (size_t i = 0; i < ELEMENTSOF(values); i++)
                if (strlen(values[i].name) == size && strncmp(values[i].name, name, size) == 0)
                        return values[i].value ?: "";
        return NULL;
}

static void append(Text *text, const char *words, const Patient *patient, const Found *found, bool quoted) {
        while (*words) {
                size_t size = *words == '{' ? strcspn(words + 1, "}") : 0;
                const char *value = size > 0 ? value_of(words + 1, size, patient, found) : NULL;
                if (!value) {
                        text_append_char(text, *words++);
                        continue;
                }
                if (quoted && strncmp(words + 1, "mend", size) != 0)
                        words_quote(text, value);
                else
                        format_untrusted(text, value);
                words += size + 2;
        }
}

void words_append(Text *text, const char *words, const Patient *patient, const Found *found) {
        append(text, words, patient, found, false);
}

void words_append_command(Text *text, const char *command, const Patient *patient, const Found *found) {
        append(text, command, patient, found, true);
}
