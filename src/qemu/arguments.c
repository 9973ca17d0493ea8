/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/arguments.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct Row {
        const char *option;
        const char *value; /* NULL: the option has none */
        const char *needs; /* a value that must not be empty; NULL: none */
        unsigned only;     /* 1 << each QemuRun in which it is there; 0: in all */
        bool hardware;     /* what a template was made with, and can be loaded into */
} Row;

#define ONLY(run) .only = 1 << (run)
#define SERVICES .only = 1 << QEMU_RUN_BOOT | 1 << QEMU_RUN_LOAD
#define MAKERS .only = 1 << QEMU_RUN_TEMPLATE | 1 << QEMU_RUN_PROOF
#define LOADS .only = 1 << QEMU_RUN_LOAD | 1 << QEMU_RUN_PROOF
#define HARDWARE .hardware = true
#define IF(value) .needs = (value)

/* {x} is a value with its commas doubled, as QEMU reads lists; {=x} is as it stands. */
static const Row rows[] = {
        { "-name", "{name}" },
        { "-nodefaults" },
        { "-no-user-config" },
        { "-display", "none" },
        { "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny" },
        { "-machine", "{machine},accel={=accelerator},memory-backend=ram,usb=off,hpet=off" },
        { "-cpu", "{=cpu}", HARDWARE },
        { "-smp", "{processors}", HARDWARE },
        { "-m", "{memory}M", HARDWARE },
        { "-object", "memory-backend-ram,id=ram,size={memory}M", ONLY(QEMU_RUN_BOOT) },
        /* A shared file is what a template is made of; mapped privately, or copied, it serves any number of
         * runs. */
        { "-object", "memory-backend-file,id=ram,size={memory}M,mem-path={template}/ram,share=on",
                ONLY(QEMU_RUN_TEMPLATE) },
        { "-object",
                "memory-backend-file,id=ram,size={memory}M,mem-path={template}/ram,share=off,readonly=on,"
                "rom=off",
                IF("mapped"), LOADS },
        { "-object", "memory-backend-file,id=ram,size={memory}M,mem-path=/proc/self/fd/{copy},share=on",
                IF("copy"), LOADS },
        { "-kernel", "{=kernel}", IF("kernel") },
        { "-initrd", "{=initrd}", IF("initrd") },
        { "-append", "{=append}", IF("append") },
        { "-chardev", "socket,id=monitor,path={run}/monitor,server=on,wait=off" },
        { "-mon", "chardev=monitor,mode=control" },
        /* With an overlay of QEMU's own: a file without a name, which is gone with the process. */
        { "-drive", "if=none,id=disk,file={disk},format={format},snapshot=on,discard=unmap{=throttling}",
                ONLY(QEMU_RUN_BOOT) },
        { "-drive",
                "if=none,id=disk,file={template}/disk.qcow2,format=qcow2,snapshot=on,"
                "discard=unmap{=throttling}",
                LOADS },
        { "-drive", "if=none,id=disk,file={template}/disk.qcow2,format=qcow2,discard=unmap{=throttling}",
                ONLY(QEMU_RUN_TEMPLATE) },
        { "-device", "virtio-blk-pci,drive=disk", HARDWARE },
        { "-device", "virtio-serial-pci,id=channels", HARDWARE },
        { "-chardev", "socket,id=data,path={run}/data,server=on,wait=off" },
        { "-device", "virtserialport,bus=channels.0,chardev=data,name=org.pbot.vm.0", HARDWARE },
        { "-chardev", "socket,id=heart,path={run}/heart,server=on,wait=off" },
        { "-device", "virtserialport,bus=channels.0,chardev=heart,name=org.pbot.vm.heartbeat", HARDWARE },
        /* What nobody listens to is thrown away: a guest may say what it likes without end. */
        { "-chardev", "socket,id=console,path={run}/console,server=on,wait=off" },
        { "-device", "isa-serial,chardev=console,index=0", HARDWARE },
        /* The guest's third and fourth, as in PBot's guide. */
        { "-chardev", "socket,id=serial-data,host=127.0.0.1,port={serial-data},server=on,wait=off",
                IF("serial-data"), SERVICES },
        /* A template is made, and tried, beside a run that has the ports. */
        { "-chardev", "null,id=serial-data", IF("serial-data"), MAKERS },
        { "-device", "isa-serial,chardev=serial-data,index=2", IF("serial-data"), HARDWARE },
        { "-chardev", "socket,id=serial-heart,host=127.0.0.1,port={serial-heart},server=on,wait=off",
                IF("serial-heart"), SERVICES },
        { "-chardev", "null,id=serial-heart", IF("serial-heart"), MAKERS },
        { "-device", "isa-serial,chardev=serial-heart,index=3", IF("serial-heart"), HARDWARE },
        { "-object", "rng-random,id=random,filename=/dev/urandom" },
        { "-device", "virtio-rng-pci,rng=random{=random-rate}", HARDWARE },
        { "-netdev", "user,id=network", IF("network") },
        { "-device", "virtio-net-pci,netdev=network", IF("network"), HARDWARE },
        /* A guest that panicked stays as it is until it is reverted. */
        { "-device", "pvpanic", HARDWARE },
        { "-action", "panic=pause" },
        /* A guest with a driver for it knows that time stood still. */
        { "-device", "vmgenid,guid=auto", HARDWARE },
        { "-incoming", "defer", LOADS },
        { "-S", LOADS },
};

/* ---- values ---- */

typedef struct Values {
        const QemuDefinition *definition;
        const char *machine;
        const QemuPaths *paths;
} Values;

static void append_number(Text *text, uint64_t n) {
        if (n > 0)
                text_append_printf(text, "%" PRIu64, n);
}

static void append_throttling(Text *text, const QemuDefinition *d) {
        if (d->disk_bytes_per_second > 0)
                text_append_printf(text, ",throttling.bps-total=%" PRIu64, d->disk_bytes_per_second);
        if (d->disk_requests_per_second > 0)
                text_append_printf(text, ",throttling.iops-total=%" PRIu64, d->disk_requests_per_second);
}

static const char *or_empty(const char *s) {
        return s ? s : "";
}

/* The value of that name; a name that is in no row is a mistake of this file. */
static void append_value(const Values *values, const char *name, size_t size, Text *text) {
        static const char *const accelerators[] = {
                [QEMU_ACCELERATOR_AUTO] = "kvm:tcg",
                [QEMU_ACCELERATOR_KVM] = "kvm",
                [QEMU_ACCELERATOR_TCG] = "tcg",
        };
        const QemuDefinition *d = values->definition;
        const struct {
                const char *name, *string;
        } strings[] = {
                { "name", d->name },
                { "machine", values->machine },
                { "accelerator", accelerators[d->accelerator] },
                { "cpu", d->cpu },
                { "run", or_empty(values->paths->run) },
                { "template", or_empty(values->paths->template) },
                { "disk", d->disk },
                { "format", d->disk_format == QEMU_FORMAT_RAW ? "raw" : "qcow2" },
                { "kernel", or_empty(d->kernel) },
                { "initrd", or_empty(d->initrd) },
                { "append", or_empty(d->append) },
                { "mapped", values->paths->memory > 0 ? "" : "yes" },
                { "network", d->network == QEMU_NETWORK_USER ? "user" : "" },
        };
        const struct {
                const char *name;
                uint64_t number;
        } numbers[] = {
                { "processors", d->processors },
                { "memory", d->memory_bytes >> 20 },
                { "serial-data", d->serial_data },
                { "serial-heart", d->serial_heart },
                { "copy", (uint64_t)MAX(values->paths->memory, 0) },
        };

        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                if (strlen(strings[i].name) == size && memcmp(strings[i].name, name, size) == 0)
                        text_append_string(text, strings[i].string);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (strlen(numbers[i].name) == size && memcmp(numbers[i].name, name, size) == 0)
                        append_number(text, numbers[i].number);
        if (size == strlen("throttling") && memcmp(name, "throttling", size) == 0)
                append_throttling(text, d);
        if (size == strlen("random-rate") && memcmp(name, "random-rate", size) == 0 &&
                d->random_bytes_per_second > 0)
                text_append_printf(text, ",max-bytes=%" PRIu64 ",period=1000", d->random_bytes_per_second);
}

static void append_doubled(Text *text, const Text *value) {
        for (const char *p = text_string(value); *p; p++) {
                text_append_char(text, *p);
                if (*p == ',')
                        text_append_char(text, ',');
        }
}

static void append_filled(const Values *values, const char *template, Text *text) {
        for (const char *p = template, *open; *p; p = open) {
                _cleanup_text_ Text value = {};

                open = strchrnul(p, '{');
                text_append(text, p, (size_t)(open - p));
                if (!*open)
                        return;

                const char *name = open + 1, *close = strchrnul(open, '}');
                bool plain = *name == '=';
                name += plain;
                append_value(values, name, (size_t)(close - name), &value);
                if (plain)
                        text_append_text(text, &value);
                else
                        append_doubled(text, &value);
                open = close + (*close == '}');
        }
}

static bool is_set(const Values *values, const char *name) {
        _cleanup_text_ Text value = {};

        append_value(values, name, strlen(name), &value);
        return value.size > 0;
}

/* ---- the vector ---- */

char **qemu_arguments_free(char **arguments) {
        for (char **p = arguments; p && *p; p++)
                free(*p);
        free(arguments);
        return NULL;
}

/* The next place of an array that has room. False without memory. */
static bool add(char ***at, const char *string) {
        return (*(*at)++ = strdup(string));
}

static bool add_row(char ***at, const Values *values, const Row *row) {
        _cleanup_text_ Text value = {};

        if (!add(at, row->option))
                return false;
        if (!row->value)
                return true;
        append_filled(values, row->value, &value);
        return !text_failed(&value) && add(at, text_string(&value));
}

static bool is_in(const Values *values, const Row *row) {
        return !row->needs || is_set(values, row->needs);
}

char **qemu_arguments(
        const QemuDefinition *definition, QemuRun run, const char *machine, const QemuPaths *paths) {
        const Values values = { definition, machine ? machine : definition->machine, paths };
        _cleanup_(qemu_arguments_freep) char **arguments = calloc(2 * ELEMENTSOF(rows) + 2, sizeof(char *));
        char **at = arguments;

        if (!arguments || !add(&at, definition->emulator))
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if ((rows[i].only == 0 || rows[i].only & 1 << run) && is_in(&values, &rows[i]) &&
                        !add_row(&at, &values, &rows[i]))
                        return NULL;
        return TAKE_PTR(arguments);
}

void qemu_arguments_append_hardware(const QemuDefinition *definition, Text *text) {
        const Values values = { definition, definition->machine, &(QemuPaths){} };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].hardware && is_in(&values, &rows[i])) {
                        text_append_printf(text, "%s ", rows[i].option);
                        append_filled(&values, rows[i].value, text);
                        text_append_char(text, '\n');
                }
}
