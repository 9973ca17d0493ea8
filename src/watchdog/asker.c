/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/asker.h"

void asker_done(Asker *asker) {
        free(asker->nick);
        free(asker->channel);
        free(asker->language);
        *asker = (Asker){};
}

static bool is_inside_character(char byte) {
        return ((unsigned char)byte & 0xc0) == 0x80;
}

int asker_set(char **to, const char *text) {
        size_t size = strnlen(text, ASKER_SIZE_MAX + 1);

        if (size > ASKER_SIZE_MAX)
                for (size = ASKER_SIZE_MAX; size > 0 && is_inside_character(text[size]); size--)
                        ;
        char *copy = strndup(text, size);
        if (!copy)
                return -ENOMEM;
        for (char *p = copy; *p; p++)
                if ((unsigned char)*p < ' ' || *p == 0x7f)
                        *p = '?';
        free(*to);
        *to = copy;
        return 0;
}

int asker_copy(Asker *to, const Asker *from) {
        Asker copy = { .pid = from->pid };
        int r = 0;

        asker_done(to);
        if (from->nick)
                r = asker_set(&copy.nick, from->nick);
        if (r >= 0 && from->channel)
                r = asker_set(&copy.channel, from->channel);
        if (r >= 0 && from->language)
                r = asker_set(&copy.language, from->language);
        if (r < 0)
                asker_done(&copy);
        *to = copy;
        return r;
}
