/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passport/passport.h"

#include <stdio.h>

#include "passport/xml.h"

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
#undef FIELD
};

static void set_version(char *to, size_t size, unsigned long version) {
        snprintf(to, size, "%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
}

/* The words of a line have no blanks in them. */
static void set_word(char *to, size_t size, const char *from) {
        snprintf(to, size, "%s", from);
        for (char *p = to; *p; p++)
                if (*p <= ' ' || *p > '~' || strchr("<>&=", *p))
                        *p = '_';
}

static void read_cpu(const char *capabilities, Passport *passport) {
        _cleanup_(xml_freep) xmlDocPtr document = xml_parse(capabilities);
        _cleanup_free_ char *model = xml_string(document, "/capabilities/host/cpu/model", 0);

        if (model)
                set_word(passport->cpu, sizeof(passport->cpu), model);
}

bool passport_of_snapshot(const char *xml, Passport *ret) {
        _cleanup_(xml_freep) xmlDocPtr document = xml_parse(xml);
        _cleanup_free_ char *line = xml_string(document, "/domainsnapshot/description", 0);

        return passport_read(line, ret);
}

uint64_t passport_snapshot_time(const char *xml) {
        _cleanup_(xml_freep) xmlDocPtr document = xml_parse(xml);

        return xml_number(document, "/domainsnapshot/creationTime", 0) * USEC_PER_SEC;
}

void passport_now(virConnectPtr connection, Passport *ret) {
        _cleanup_free_ char *capabilities = virConnectGetCapabilities(connection);
        unsigned long version;

        *ret = (Passport){};
        if (virConnectGetVersion(connection, &version) >= 0)
                set_version(ret->emulator, sizeof(ret->emulator), version);
        if (virConnectGetLibVersion(connection, &version) >= 0)
                set_version(ret->libvirt, sizeof(ret->libvirt), version);
        read_cpu(capabilities, ret);
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

void passport_show(const Passport *passport, Text *text) {
        const char *separator = "";

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (*member(passport, i)) {
                        text_append_printf(text, "%s%s %s", separator, fields[i].title, member(passport, i));
                        separator = ", ";
                }
}
