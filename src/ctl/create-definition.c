/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/create-definition.h"

#include <fcntl.h>
#include <stdio.h>

#include "common/io.h"
#include "ctl/attach-edit.h"
#include "paths.h"

#define ARCH "/capabilities/guest[os_type='hvm']/arch[@name='x86_64']"
#define QCOW2_MAGIC "QFI\xFB"

/* Of what the host shares with others a guest gets so much, as with guest/image/domain. */
#define IOTUNE                                                                                              \
        "<iotune><total_bytes_sec>104857600</total_bytes_sec><total_iops_sec>5000</total_iops_sec></"       \
        "iotune>"
#define RATE "<rate bytes='65536' period='1000'/>"
/* Everything takes longer there, and the agent has settings for it in the images of guest/image/build. */
#define EMULATED " systemd.setenv=PBOTVM_GUEST_CONFIG=/etc/pbotvm/guest-emulated.json"

const char *create_image_format(const char *path, const char **ret_error) {
        char magic[4] = {};
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        *ret_error = NULL;
        if (fd < 0 || read(fd, magic, sizeof(magic)) < 0)
                *ret_error = strerror(errno);
        else if (memcmp(magic, QCOW2_MAGIC, sizeof(magic)) != 0)
                *ret_error = "it is no qcow2 image, which a snapshot with the memory in it needs";
        return *ret_error ? NULL : "qcow2";
}

static void append_escaped(Text *text, const char *value) {
        for (; *value; value++) {
                static const char special[] = "&<>'\"";
                if (strchr(special, *value))
                        text_append_printf(text, "&#%d;", *value);
                else
                        text_append_char(text, *value);
        }
}

typedef struct Field {
        const char *name, *value;
        bool markup; /* as it is */
} Field;

/* What stands between two @ and is no field stays. */
static int fill(const char *template, const Field *fields, size_t n, Text *ret) {
        while (*template) {
                const char *end = *template == '@' ? strchr(template + 1, '@') : NULL;
                const Field *field = NULL;

                for (size_t i = 0; end && i < n; i++)
                        if (strlen(fields[i].name) == (size_t)(end - template - 1) &&
                                startswith(template + 1, fields[i].name))
                                field = &fields[i];
                if (!field) {
                        text_append_char(ret, *template ++);
                        continue;
                }
                if (field->markup)
                        text_append_string(ret, field->value);
                else
                        append_escaped(ret, field->value);
                template = end + 1;
        }
        return text_error(ret);
}

/* "STEM" of STEM.qcow2. */
static int stem_of(const char *image, Text *ret) {
        size_t size = strlen(image), ending = strlen(".qcow2");

        text_append(
                ret, image, size > ending && streq(image + size - ending, ".qcow2") ? size - ending : size);
        return text_error(ret);
}

static bool has_kernel(const char *stem) {
        static const char *const endings[] = { ".kernel", ".initrd" };

        for (size_t i = 0; i < ELEMENTSOF(endings); i++) {
                _cleanup_text_ Text path = {};
                text_append_printf(&path, "%s%s", stem, endings[i]);
                if (text_failed(&path) || access(text_string(&path), F_OK) < 0)
                        return false;
        }
        return true;
}

static void remove_elements(xmlNodePtr parent, const char *const *names, size_t n) {
        for (xmlNodePtr node = parent->children, next; node; node = next) {
                next = node->next;
                for (size_t i = 0; i < n; i++)
                        if (node->type == XML_ELEMENT_NODE && streq((const char *)node->name, names[i])) {
                                xmlUnlinkNode(node);
                                xmlFreeNode(node);
                                break;
                        }
        }
}

static xmlNodePtr find_element(xmlNodePtr node, const char *name) {
        for (node = node ? node->children : NULL; node; node = node->next)
                if (node->type == XML_ELEMENT_NODE && streq((const char *)node->name, name))
                        return node;
        return NULL;
}

/* Its own boot loader. */
static int boot_disk(xmlDocPtr definition) {
        static const char *const names[] = { "kernel", "initrd", "cmdline" };
        xmlNodePtr os = find_element(xmlDocGetRootElement(definition), "os");

        if (!os)
                return -EBADMSG;
        remove_elements(os, names, ELEMENTSOF(names));
        xmlNodePtr boot = xmlNewChild(os, NULL, (const xmlChar *)"boot", NULL);
        return boot && xmlSetProp(boot, (const xmlChar *)"dev", (const xmlChar *)"hd") ? 0 : -ENOMEM;
}

/* The file's own name, which need not end as the template has it. */
static int set_disk(xmlDocPtr definition, const char *image) {
        xmlNodePtr devices = find_element(xmlDocGetRootElement(definition), "devices"),
                   source = find_element(find_element(devices, "disk"), "source");

        if (!source)
                return -EBADMSG;
        return xmlSetProp(source, (const xmlChar *)"file", (const xmlChar *)image) ? 0 : -ENOMEM;
}

static int add_lines(xmlDocPtr definition, const MachineConfig *machine, const HypervisorFacts *hypervisor) {
        const struct {
                TransportKind kind;
                bool wanted;
        } lines[] = {
                { TRANSPORT_CHANNEL, machine->channel_data && machine->channel_heart },
                { TRANSPORT_SERIAL, machine->serial_port > 0 && machine->heart_port > 0 },
                { TRANSPORT_VSOCK, machine->cid > 0 },
        };
        _cleanup_text_ Text changed = {};
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(lines); i++)
                if (lines[i].wanted)
                        r = attach_edit(definition, lines[i].kind, machine, hypervisor, &changed);
        return r;
}

int create_definition(const CreateChoice *choice, const char *template, xmlDocPtr capabilities,
        const HypervisorFacts *hypervisor, xmlDocPtr *ret) {
        _cleanup_free_ char *type = xml_string(capabilities, "/capabilities/guest/arch/domain/@type", 0),
                            *emulator = xml_string(capabilities, ARCH "/emulator", 0);
        bool kvm = xml_count(capabilities, ARCH "/domain[@type='kvm']") > 0;
        _cleanup_text_ Text stem = {}, filled = {};
        char memory[16], cpus[16];

        int r = stem_of(choice->image, &stem);
        if (r < 0)
                return r;
        (void)snprintf(memory, sizeof(memory), "%u", choice->memory_mib);
        (void)snprintf(cpus, sizeof(cpus), "%u", choice->cpus);
        const Field fields[] = {
                { "TYPE", kvm ? "kvm" : type ?: "qemu" },
                { "CPU", kvm ? "host-passthrough" : "maximum" },
                { "NAME", choice->machine->domain },
                { "MEMORY", memory },
                { "CPUS", cpus },
                { "IMAGE", text_string(&stem) },
                { "CMDLINE", kvm ? "" : EMULATED },
                { "EMULATOR", emulator ?: "/usr/bin/qemu-system-x86_64" },
                { "CHANNELS", PBOTVM_CHANNEL_DIR },
                { "IOTUNE", IOTUNE, true },
                { "RATE", RATE, true },
                { "SERIAL", "" },
                { "VSOCK", "" },
        };
        r = fill(template, fields, ELEMENTSOF(fields), &filled);
        if (r < 0)
                return r;

        _cleanup_(xml_freep) xmlDocPtr definition = xml_parse(text_string(&filled));
        r = definition ? set_disk(definition, choice->image) : -EBADMSG;
        if (r >= 0 && !has_kernel(text_string(&stem)))
                r = boot_disk(definition);
        if (r >= 0)
                r = add_lines(definition, choice->machine, hypervisor);
        if (r >= 0)
                *ret = TAKE_PTR(definition);
        return r;
}
