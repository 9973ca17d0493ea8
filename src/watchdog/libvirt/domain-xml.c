/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/libvirt/domain-xml.h"

#include <libxml/parser.h>
#include <libxml/xpath.h>

/* Lines on which QEMU listens for whoever comes first from this host, without telnet's escapes. */
#define TCP_LINES                                                                                           \
        "/domain/devices/serial[@type='tcp'][source/@mode='bind'][not(protocol) or protocol/@type='raw']"   \
        "/source[@host='127.0.0.1' or @host='localhost' or @host='0.0.0.0' or @host='::1' or @host='::']"   \
        "/@service"
#define CHANNEL "/domain/devices/channel/target[@type='virtio' and @name='org.pbot.vm.0']/@name"
#define CID "/domain/devices/vsock/cid/@address"

static void document_freep(xmlDocPtr *document) {
        if (*document)
                xmlFreeDoc(*document);
}

static void context_freep(xmlXPathContextPtr *context) {
        if (*context)
                xmlXPathFreeContext(*context);
}

/* The natural numbers in the attributes that a path leads to: how many, or -ENOMEM. */
static int numbers_at(xmlXPathContextPtr context, const char *path, uint64_t max, uint64_t *ret, int n_max) {
        xmlXPathObjectPtr found = xmlXPathEvalExpression((const xmlChar *)path, context);
        int n = 0;

        if (!found)
                return -ENOMEM;
        for (int i = 0; found->nodesetval && i < found->nodesetval->nodeNr && n < n_max; i++) {
                xmlChar *text = xmlNodeGetContent(found->nodesetval->nodeTab[i]);
                char *end = NULL;
                uint64_t number = text ? strtoull((const char *)text, &end, 10) : 0;
                if (end && *end == '\0' && number > 0 && number <= max)
                        ret[n++] = number;
                xmlFree(text);
        }
        xmlXPathFreeObject(found);
        return n;
}

static bool is_there(xmlXPathContextPtr context, const char *path) {
        xmlXPathObjectPtr found = xmlXPathEvalExpression((const xmlChar *)path, context);
        bool there = found && found->nodesetval && found->nodesetval->nodeNr > 0;

        xmlXPathFreeObject(found);
        return there;
}

int domain_xml_lines(const char *xml, DomainLines *ret) {
        _cleanup_(document_freep) xmlDocPtr document = NULL;
        _cleanup_(context_freep) xmlXPathContextPtr context = NULL;
        DomainLines lines = { .known = true };
        uint64_t ports[ELEMENTSOF(lines.ports)], cid = 0;

        document = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL,
                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
        if (!document)
                return -EBADMSG;
        context = xmlXPathNewContext(document);
        if (!context)
                return -ENOMEM;

        int n = numbers_at(context, TCP_LINES, UINT16_MAX, ports, ELEMENTSOF(ports));
        if (n < 0 || numbers_at(context, CID, UINT32_MAX - 1, &cid, 1) < 0)
                return -ENOMEM;
        for (int i = 0; i < n; i++)
                lines.ports[i] = (uint16_t)ports[i];
        lines.cid = (uint32_t)cid;
        lines.channel = is_there(context, CHANNEL);
        *ret = lines;
        return 0;
}
