/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage.h"

#include <inttypes.h>

#define NAME_MAX_BYTES ((size_t)100)

static bool plain(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_' || c == '.';
}

/* FNV-1a: it tells long keys apart; nobody gains anything by a collision but to share with himself, since a
 * key is chosen by the bot's administrators. */
static uint64_t hash(const char *s) {
        uint64_t h = UINT64_C(14695981039346656037);

        for (; *s; s++)
                h = (h ^ (uint8_t)*s) * UINT64_C(1099511628211);
        return h;
}

int storage_name(const char *key, char **ret) {
        _cleanup_text_ Text name = {};

        for (const char *c = key; *c; c++) {
                if (plain(*c) && !(c == key && (*c == '.' || *c == '-')))
                        text_append_char(&name, *c);
                else
                        text_append_printf(&name, "=%02X", (uint8_t)*c);
        }
        if (name.size > NAME_MAX_BYTES) {
                text_truncate(&name, NAME_MAX_BYTES - 17);
                text_append_printf(&name, "=%016" PRIx64, hash(key));
        }
        return text_steal(&name, ret, NULL);
}
