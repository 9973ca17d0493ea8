/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/hidden-names.h"

#include "plan/scan.h"

static const char *const names[] = { "alloca", "asprintf", "bcopy", "bzero", "daemon", "getpagesize",
        "index", "memmem", "reallocarray", "rindex", "setlinebuf", "strcasecmp", "strcasestr", "strlcat",
        "strlcpy", "strncasecmp", "strsep", "usleep", "vasprintf", "vfork" };

bool hidden_names_used(const Text *code) {
        Scanner scanner = { .p = text_string(code), .end = text_string(code) + code->size };
        Token token;

        while ((token = scan(&scanner)).kind != TOKEN_END)
                for (size_t i = 0; token.kind == TOKEN_WORD && i < ELEMENTSOF(names); i++)
                        if (token_is(&token, names[i]))
                                return true;
        return false;
}
