/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passport/passport.h"

#include <stdio.h>

#define HEAD "Taken by pbotvm:"

/* The words of the line, and what people are shown. */
static const struct {
        const char *key, *title;
        size_t offset, size;
} fields[] = {
#define FIELD(key, title, member)                                                                           \
        { key, title, offsetof(Passport, member), sizeof(((Passport *)0)->member) }
        FIELD("qemu", "QEMU", emulator),
        FIELD("libvirt", "libvirt", libvirt),
        FIELD("cpu", "CPU", cpu),
        FIELD("machine", "machine", machine),
#undef FIELD
};

void passport_set_word(char *to, size_t size, const char *from) {
        snprintf(to, size, "%s", from);
        for (char *p = to; *p; p++)
                if (*p <= ' ' || *p > '~' || strchr("<>&=", *p))
                        *p = '_';
}

static char *member(const Passport *passport, size_t i) {
        return (char *)passport + fields[i].offset;
}

void passport_write(const Passport *passport, Text *text) {
        text_append_string(text, HEAD);
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (*member(passport, i))
                        text_append_printf(text, " %s=%s", fields[i].key, member(passport, i));
}

bool passport_read(const char *line, Passport *ret) {
        const char *rest = line ? startswith(line, HEAD) : NULL;
        size_t size;

        *ret = (Passport){};
        if (!rest)
                return false;
        for (; *(rest += strspn(rest, " ")); rest += size) {
                size = strcspn(rest, " ");
                for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                        size_t key = strlen(fields[i].key);
                        if (size > key && strncmp(rest, fields[i].key, key) == 0 && rest[key] == '=')
                                snprintf(member(ret, i), fields[i].size, "%.*s", (int)(size - key - 1),
                                        rest + key + 1);
                }
        }
        return true;
}

bool passport_differs(const Passport *a, const Passport *b) {
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                const char *left = (const char *)a + fields[i].offset,
                           *right = (const char *)b + fields[i].offset;

                if (*left && *right && !streq(left, right))
                        return true;
        }
        return false;
}

void passport_show(const Passport *passport, Text *text) {
        const char *separator = "";

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (*member(passport, i)) {
                        text_append_printf(text, "%s%s %s", separator, fields[i].title, member(passport, i));
                        separator = ", ";
                }
}
