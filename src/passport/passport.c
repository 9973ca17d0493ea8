/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passport/passport.h"

#include <stdio.h>

#include <libxml/parser.h>
#include <libxml/xpath.h>

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

/* What an XPath makes a string of in a document; freed with xmlFree(). NULL if it is no document. */
static xmlChar *string_at(const char *xml, const char *path) {
        xmlDocPtr document = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL,
                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
        xmlXPathContextPtr context = document ? xmlXPathNewContext(document) : NULL;
        xmlXPathObjectPtr found = context ? xmlXPathEvalExpression((const xmlChar *)path, context) : NULL;
        xmlChar *string = found && found->stringval ? xmlStrdup(found->stringval) : NULL;

        xmlXPathFreeObject(found);
        if (context)
                xmlXPathFreeContext(context);
        if (document)
                xmlFreeDoc(document);
        return string;
}

static void read_cpu(const char *capabilities, Passport *passport) {
        xmlChar *model = string_at(capabilities, "string(/capabilities/host/cpu/model)");

        if (model)
                set_word(passport->cpu, sizeof(passport->cpu), (const char *)model);
        xmlFree(model);
}

bool passport_of_snapshot(const char *xml, Passport *ret) {
        xmlChar *line = string_at(xml, "string(/domainsnapshot/description)");
        bool read = passport_read((const char *)line, ret);

        xmlFree(line);
        return read;
}

uint64_t passport_snapshot_time(const char *xml) {
        xmlChar *seconds = string_at(xml, "string(/domainsnapshot/creationTime)");
        uint64_t time = seconds ? strtoull((const char *)seconds, NULL, 10) : 0;

        xmlFree(seconds);
        return time * USEC_PER_SEC;
}

void passport_now(virConnectPtr connection, Passport *ret) {
        _cleanup_free_ char *capabilities = virConnectGetCapabilities(connection);
        unsigned long version;

        *ret = (Passport){};
        if (virConnectGetVersion(connection, &version) >= 0)
                set_version(ret->emulator, sizeof(ret->emulator), version);
        if (virConnectGetLibVersion(connection, &version) >= 0)
                set_version(ret->libvirt, sizeof(ret->libvirt), version);
        if (capabilities)
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
