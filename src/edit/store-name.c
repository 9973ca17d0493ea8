/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "common/text.h"
#include "edit/sha256.h"
#include "edit/store.h"

/* What a name may take without its end, so that the temporary name and the longest end still fit. */
#define STEM_MAX 200
#define TEMPORARY_PREFIX ".new-"

/* Besides letters and digits. */
#define PLAIN "#_+-=.[]{}^&"

/* The pair's hash; an escaped name has an @ in it, so it cannot be mistaken for one. */
static void hash_stem(const char *channel, const char *language, char *stem) {
        uint8_t digest[SHA256_SIZE];
        Sha256 hash;

        sha256_begin(&hash);
        sha256_add(&hash, channel, strlen(channel) + 1);
        sha256_add(&hash, language, strlen(language) + 1);
        sha256_end(&hash, digest);

        *stem++ = '%';
        for (size_t i = 0; i < sizeof(digest); i++)
                stem += sprintf(stem, "%02x", (unsigned)digest[i]);
}

void store_name(const char *channel, const char *language, const char *kind, char ret[static NAME_MAX + 1]) {
        _cleanup_text_ Text stem = {};
        char hash[1 + 2 * SHA256_SIZE + 1];

        /* It is no hidden file's. */
        if (*channel == '.')
                text_append_string(&stem, "%2E");
        bool fits = text_append_escaped(&stem, channel + (*channel == '.'), PLAIN, STEM_MAX - 1);
        text_append_char(&stem, '@');
        fits = fits && text_append_escaped(&stem, language, PLAIN, STEM_MAX) && !text_failed(&stem);
        if (!fits)
                hash_stem(channel, language, hash);
        (void)snprintf(ret, NAME_MAX + 1, "%s%s", fits ? text_string(&stem) : hash, kind);
}

void store_temporary_name(const char *name, char ret[static NAME_MAX + 1]) {
        (void)snprintf(
                ret, NAME_MAX + 1, TEMPORARY_PREFIX "%.*s", NAME_MAX - (int)strlen(TEMPORARY_PREFIX), name);
}
