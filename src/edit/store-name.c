/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <stdio.h>

#include "edit/sha256.h"
#include "edit/store.h"

/* What a name may take without its end, so that the temporary name and the longest end still fit. */
#define STEM_MAX 200
#define TEMPORARY_PREFIX ".new-"

static bool is_plain(char c) {
        return isalnum((uint8_t)c) || strchr("#_+-=.[]{}^&", c);
}

/* Returns false if it does not fit. */
static bool append_escaped(char *stem, size_t *size, const char *text) {
        for (; *text; text++) {
                bool plain = is_plain(*text) && !(*text == '.' && *size == 0);
                size_t n = plain ? 1 : 3;
                if (*size + n > STEM_MAX)
                        return false;
                if (plain)
                        stem[*size] = *text;
                else
                        (void)snprintf(
                                stem + *size, STEM_MAX + 1 - *size, "%%%02X", (unsigned)(uint8_t)*text);
                *size += n;
        }
        return true;
}

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
        char stem[STEM_MAX + 1] = "";
        size_t size = 0;

        bool fits = append_escaped(stem, &size, channel);
        if (fits && size < STEM_MAX) {
                stem[size++] = '@';
                stem[size] = '\0';
                fits = append_escaped(stem, &size, language);
        } else
                fits = false;
        if (fits)
                stem[size] = '\0';
        else
                hash_stem(channel, language, stem);
        (void)snprintf(ret, NAME_MAX + 1, "%s%s", stem, kind);
}

void store_temporary_name(const char *name, char ret[static NAME_MAX + 1]) {
        (void)snprintf(
                ret, NAME_MAX + 1, TEMPORARY_PREFIX "%.*s", NAME_MAX - (int)strlen(TEMPORARY_PREFIX), name);
}
