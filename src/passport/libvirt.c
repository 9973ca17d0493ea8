/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "passport/libvirt.h"

#include <stdio.h>

#include "passport/xml.h"

static void set_version(char *to, size_t size, unsigned long version) {
        snprintf(to, size, "%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
}

static void read_cpu(const char *capabilities, Passport *passport) {
        _cleanup_(xml_freep) xmlDocPtr document = xml_parse(capabilities);
        _cleanup_free_ char *model = xml_string(document, "/capabilities/host/cpu/model", 0);

        if (model)
                passport_set_word(passport->cpu, sizeof(passport->cpu), model);
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
