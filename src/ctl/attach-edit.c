/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/attach-edit.h"

#include <inttypes.h>
#include <stdio.h>

/* What PBot's guide takes, where nothing else is configured. */
#define PORT_DEFAULT 5555
#define CID_DEFAULT 7
#define PORTS "/domain/devices/serial/source/@service"
#define CIDS "/domain/devices/vsock/cid/@address"

typedef struct Edit {
        xmlDocPtr document;
        xmlNodePtr devices;
        const MachineConfig *machine;
        const HypervisorFacts *hypervisor;
        Text *changed;
} Edit;

/* The next element of a name, from node on; NULL: of any. */
static xmlNodePtr element(xmlNodePtr node, const char *name) {
        while (node && (node->type != XML_ELEMENT_NODE || (name && !streq((const char *)node->name, name))))
                node = node->next;
        return node;
}

static xmlNodePtr child(xmlNodePtr node, const char *name) {
        return node ? element(node->children, name) : NULL;
}

static bool has(xmlNodePtr node, const char *attribute, const char *value) {
        xmlChar *is = node ? xmlGetProp(node, (const xmlChar *)attribute) : NULL;
        bool same = is && streq((const char *)is, value);

        xmlFree(is);
        return same;
}

static void set(xmlNodePtr node, const char *attribute, const char *value) {
        (void)xmlSetProp(node, (const xmlChar *)attribute, (const xmlChar *)value);
}

static xmlNodePtr add(xmlNodePtr parent, const char *name) {
        return xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);
}

/* The child of that name, made if it is not there. */
static xmlNodePtr get(xmlNodePtr parent, const char *name) {
        return child(parent, name) ?: add(parent, name);
}

static void tell(Edit *edit, xmlNodePtr device) {
        xmlBufferPtr buffer = xmlBufferCreate();

        if (!buffer || xmlNodeDump(buffer, edit->document, device, 0, 1) < 0)
                edit->changed->failed = true;
        else {
                text_append_string(edit->changed, (const char *)xmlBufferContent(buffer));
                text_append_char(edit->changed, '\n');
        }
        if (buffer)
                xmlBufferFree(buffer);
}

/* ---- channels ---- */

static bool channel_is_right(xmlNodePtr channel, const char *path) {
        xmlNodePtr source = child(channel, "source"), label = child(source, "seclabel");

        return has(channel, "type", "unix") && has(source, "mode", "bind") && has(source, "path", path) &&
               has(label, "model", "dac") && has(label, "relabel", "no");
}

static void put_channel(Edit *edit, const char *name, const char *path) {
        xmlNodePtr channel = child(edit->devices, "channel");

        while (channel && !has(child(channel, "target"), "name", name))
                channel = element(channel->next, "channel");
        if (channel && channel_is_right(channel, path))
                return;
        if (channel) {
                xmlUnlinkNode(channel);
                xmlFreeNode(channel);
        }
        channel = add(edit->devices, "channel");
        set(channel, "type", "unix");
        xmlNodePtr source = add(channel, "source"), label = add(source, "seclabel");
        set(source, "mode", "bind");
        set(source, "path", path);
        set(label, "model", "dac");
        set(label, "relabel", "no");
        xmlNodePtr target = add(channel, "target");
        set(target, "type", "virtio");
        set(target, "name", name);
        tell(edit, channel);
}

/* ---- numbers that a host has once ---- */

static bool is_taken(const Edit *edit, const char *path, uint64_t number) {
        for (size_t i = 0; i < edit->hypervisor->n_domains; i++) {
                const DomainFacts *domain = &edit->hypervisor->domains[i];
                if (!streq(domain->name, edit->machine->domain) && xml_has_number(domain->xml, path, number))
                        return true;
        }
        return false;
}

/* The number that an element should have: the configuration's, else its own unless another domain has it,
 * else the first free one from "from" on. */
static uint64_t choose(
        const Edit *edit, const char *path, uint64_t configured, uint64_t own, uint64_t from) {
        if (configured > 0)
                return configured;
        if (own > 0 && !is_taken(edit, path, own))
                return own;
        while (is_taken(edit, path, from))
                from++;
        return from;
}

static uint64_t number_of(xmlNodePtr node, const char *attribute) {
        xmlChar *text = node ? xmlGetProp(node, (const xmlChar *)attribute) : NULL;
        uint64_t number = text ? strtoull((const char *)text, NULL, 10) : 0;

        xmlFree(text);
        return number;
}

/* Sets an attribute; true if it was something else. */
static bool put(xmlNodePtr node, const char *attribute, const char *value) {
        if (has(node, attribute, value))
                return false;
        set(node, attribute, value);
        return true;
}

static bool put_number(xmlNodePtr node, const char *attribute, uint64_t number) {
        char text[24];

        (void)snprintf(text, sizeof(text), "%" PRIu64, number);
        return put(node, attribute, text);
}

/* ---- serial lines ---- */

static xmlNodePtr next_tcp(xmlNodePtr node) {
        for (node = element(node, "serial"); node && !has(node, "type", "tcp");)
                node = element(node->next, "serial");
        return node;
}

/* Lines that are made become ttyS1 and ttyS2 of the guest, which is where PBot's agent looks. */
static void put_serial(Edit *edit, xmlNodePtr *at, unsigned i, uint16_t configured, uint64_t *from) {
        xmlNodePtr serial = next_tcp(*at), source;
        bool changed = !serial;

        if (!serial) {
                serial = add(edit->devices, "serial");
                set(serial, "type", "tcp");
                (void)put_number(add(serial, "target"), "port", i + 1);
        }
        source = get(serial, "source");
        uint64_t port = choose(edit, PORTS, configured, number_of(source, "service"), *from);
        changed = put(source, "mode", "bind") || changed;
        changed = put(source, "host", "127.0.0.1") || changed;
        changed = put_number(source, "service", port) || changed;
        changed = put(get(serial, "protocol"), "type", "raw") || changed;
        *from = MAX(*from, port) + 1;
        *at = serial->next;
        if (changed)
                tell(edit, serial);
}

static void put_serials(Edit *edit) {
        const uint16_t configured[] = { edit->machine->serial_port, edit->machine->heart_port };
        xmlNodePtr at = edit->devices->children;
        uint64_t from = PORT_DEFAULT;

        for (unsigned i = 0; i < ELEMENTSOF(configured); i++)
                put_serial(edit, &at, i, configured[i], &from);
}

/* ---- vsock ---- */

static void put_vsock(Edit *edit) {
        xmlNodePtr vsock = child(edit->devices, "vsock");
        bool changed = !vsock;

        if (!vsock) {
                vsock = add(edit->devices, "vsock");
                set(vsock, "model", "virtio");
        }
        xmlNodePtr cid = get(vsock, "cid");
        changed = put(cid, "auto", "no") || changed;
        changed = put_number(cid, "address",
                          choose(edit, CIDS, edit->machine->cid, number_of(cid, "address"), CID_DEFAULT)) ||
                  changed;
        if (changed)
                tell(edit, vsock);
}

bool attach_needs_facts(TransportKind kind) {
        return kind == TRANSPORT_SERIAL || kind == TRANSPORT_VSOCK;
}

int attach_edit(xmlDocPtr definition, TransportKind kind, const MachineConfig *machine,
        const HypervisorFacts *hypervisor, Text *changed) {
        Edit edit = { .document = definition,
                .devices = child(definition ? xmlDocGetRootElement(definition) : NULL, "devices"),
                .machine = machine,
                .hypervisor = hypervisor,
                .changed = changed };

        if (!edit.devices)
                return -EBADMSG;
        if (attach_needs_facts(kind) && hypervisor->error)
                return -ENODATA;
        switch (kind) {
        case TRANSPORT_CHANNEL:
                put_channel(&edit, "org.pbot.vm.0", machine->channel_data);
                put_channel(&edit, "org.pbot.vm.heartbeat", machine->channel_heart);
                break;
        case TRANSPORT_SERIAL:
                put_serials(&edit);
                break;
        case TRANSPORT_VSOCK:
                put_vsock(&edit);
                break;
        case TRANSPORT_AUTO:
        case TRANSPORT_STREAM:
                return -EINVAL;
        }
        return text_error(changed);
}
