/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/libvirt/domain-xml.h"

#include "passport/xml.h"

/* Lines on which QEMU listens for whoever comes first from this host, without telnet's escapes. */
#define TCP_LINES                                                                                           \
        "/domain/devices/serial[@type='tcp'][source/@mode='bind'][not(protocol) or protocol/@type='raw']"   \
        "/source[@host='127.0.0.1' or @host='localhost' or @host='0.0.0.0' or @host='::1' or @host='::']"   \
        "/@service"
#define CHANNEL "/domain/devices/channel/target[@type='virtio' and @name='org.pbot.vm.0']/@name"
#define CID "/domain/devices/vsock/cid/@address"

/* The natural numbers among those that a path leads to, and how many they are. */
static size_t numbers_at(xmlDocPtr document, const char *path, uint64_t max, uint64_t *ret, size_t n_max) {
        size_t n = 0, count = xml_count(document, path);

        for (size_t i = 0; i < count && n < n_max; i++) {
                uint64_t number = xml_number(document, path, i);
                if (number > 0 && number <= max)
                        ret[n++] = number;
        }
        return n;
}

int domain_xml_lines(const char *xml, DomainLines *ret) {
        _cleanup_(xml_freep) xmlDocPtr document = xml_parse(xml);
        DomainLines lines = { .known = true };
        uint64_t ports[ELEMENTSOF(lines.ports)], cid = 0;

        if (!document)
                return -EBADMSG;
        size_t n = numbers_at(document, TCP_LINES, UINT16_MAX, ports, ELEMENTSOF(ports));
        for (size_t i = 0; i < n; i++)
                lines.ports[i] = (uint16_t)ports[i];
        (void)numbers_at(document, CID, UINT32_MAX - 1, &cid, 1);
        lines.cid = (uint32_t)cid;
        lines.channel = xml_count(document, CHANNEL) > 0;
        *ret = lines;
        return 0;
}
