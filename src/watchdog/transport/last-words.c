/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/transport/last-words.h"

void last_words_add(LastWords *words, const char *line) {
        char *to = words->lines[words->n++ % LAST_WORDS_LINES];
        size_t size = strnlen(line, LAST_WORDS_SIZE);

        memcpy(to, line, size);
        to[size] = '\0';
}

const char *last_words_take(LastWords *words) {
        if (words->n - words->taken > LAST_WORDS_LINES)
                words->taken = words->n - LAST_WORDS_LINES;
        return words->taken < words->n ? words->lines[words->taken++ % LAST_WORDS_LINES] : NULL;
}
