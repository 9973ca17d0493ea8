/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/asker.h"

#include "common/utf8.h"

void asker_done(Asker *asker) {
        free(asker->nick);
        free(asker->channel);
        free(asker->language);
        *asker = (Asker){};
}

int asker_set(char **to, const char *text) {
        char line[ASKER_SIZE_MAX + 1];

        utf8_copy_line(line, sizeof(line), text);
        char *copy = strdup(line);
        if (!copy)
                return -ENOMEM;
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
