/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/definition.h"

#include <fcntl.h>

#include "common/io.h"
#include "config/members.h"

#define FILE_SIZE_MAX ((size_t)64 << 10)
#define MIB ((uint64_t)1 << 20)
#define NAME_SIZE_MAX 64

#define AT(member) offsetof(QemuDefinition, member)

static int word_index(const char *const *words, size_t n, const char *word) {
        for (size_t i = 0; i < n; i++)
                if (streq(words[i], word))
                        return (int)i;
        return -EINVAL;
}

static int accelerator_from_string(const char *word) {
        static const char *const words[] = { "auto", "kvm", "tcg" };
        return word_index(words, ELEMENTSOF(words), word);
}

static int network_from_string(const char *word) {
        static const char *const words[] = { "none", "user" };
        return word_index(words, ELEMENTSOF(words), word);
}

static int format_from_string(const char *word) {
        static const char *const words[] = { "qcow2", "raw" };
        return word_index(words, ELEMENTSOF(words), word);
}

#define RATE .expected = "a number, or 0 (any)", .min = 1, .max = INT64_MAX, .zero = true
#define PORT .expected = "a port number, or 0 (no such line)", .min = 1, .max = UINT16_MAX, .zero = true

static const Member disk_members[] = {
        { "file", MEMBER_PATH, AT(disk), "the absolute path of an image" },
        { "format", MEMBER_WORD, AT(disk_format), "\"qcow2\" or \"raw\"",
                .from_string = format_from_string },
        { "bytes-per-second", MEMBER_BYTES, AT(disk_bytes_per_second), RATE },
        { "requests-per-second", MEMBER_BYTES, AT(disk_requests_per_second), RATE },
        {},
};

static const Member serial_members[] = {
        { "data", MEMBER_PORT, AT(serial_data), PORT },
        { "heart", MEMBER_PORT, AT(serial_heart), PORT },
        {},
};

static const Member definition_members[] = {
        { "emulator", MEMBER_PATH, AT(emulator), "the absolute path of a program" },
        { "machine", MEMBER_STRING, AT(machine), "a machine type of QEMU's" },
        { "accelerator", MEMBER_WORD, AT(accelerator), "\"auto\", \"kvm\" or \"tcg\"",
                .from_string = accelerator_from_string },
        { "cpu", MEMBER_STRING, AT(cpu), "a CPU model of QEMU's" },
        { "processors", MEMBER_COUNT, AT(processors), "a number from 1 to 64", 1, 64 },
        { "memory", MEMBER_BYTES, AT(memory_bytes), "a number of bytes from 67108864 (64 MiB)", 64 * MIB,
                INT64_MAX },
        { "kernel", MEMBER_PATH, AT(kernel), "the absolute path of a file, or null", .nullable = true },
        { "initrd", MEMBER_PATH, AT(initrd), "the absolute path of a file, or null", .nullable = true },
        { "append", MEMBER_STRING, AT(append), "a kernel's command line, or null", .nullable = true },
        { "disk", MEMBER_GROUP, .group = disk_members, .expected = "an object" },
        { "random-bytes-per-second", MEMBER_BYTES, AT(random_bytes_per_second), RATE },
        { "serial", MEMBER_GROUP, .group = serial_members, .expected = "an object" },
        { "network", MEMBER_WORD, AT(network), "\"none\" or \"user\"", .from_string = network_from_string },
        {},
};

QemuDefinition *qemu_definition_free(QemuDefinition *definition) {
        if (!definition)
                return NULL;
        free(definition->name);
        free(definition->emulator);
        free(definition->machine);
        free(definition->cpu);
        free(definition->kernel);
        free(definition->initrd);
        free(definition->append);
        free(definition->disk);
        free(definition);
        return NULL;
}

bool qemu_name_valid(const char *name) {
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
        size_t n = strlen(name);

        return n > 0 && n <= NAME_SIZE_MAX && strspn(name, allowed) == n && name[0] != '.' && name[0] != '-';
}

static QemuDefinition *definition_new(ConfigReader *reader, const char *name) {
        QemuDefinition *d = calloc(1, sizeof(*d));
        if (!d)
                return NULL;

        d->processors = 1;
        d->memory_bytes = 2048 * MIB;
        d->disk_bytes_per_second = 100 * MIB;
        d->disk_requests_per_second = 5000;
        d->random_bytes_per_second = 64 << 10;
        config_set_string(reader, &d->name, name);
        config_set_string(reader, &d->emulator, "/usr/bin/qemu-system-x86_64");
        config_set_string(reader, &d->machine, "pc");
        config_set_string(reader, &d->cpu, "max");
        return d;
}

/* What no single member shows. */
static void check(ConfigReader *reader, const QemuDefinition *d, const Json *root) {
        const Json *memory = json_member(root, "memory"), *serial = json_member(root, "serial");

        if (!d->disk && reader->n_errors == 0)
                config_mistake(reader, root, "disk.file", "expected this member");
        if (d->memory_bytes % MIB != 0)
                config_mistake(reader, memory, "memory", "expected a multiple of 1048576 (1 MiB)");
        if (!d->kernel && d->initrd)
                config_mistake(reader, json_member(root, "initrd"), "initrd", "expected a kernel too");
        if (!d->kernel && d->append)
                config_mistake(reader, json_member(root, "append"), "append", "expected a kernel too");
        if (d->serial_data > 0 && d->serial_data == d->serial_heart)
                config_mistake(reader, json_member(serial, "heart"), "serial.heart",
                        "expected another port than that of serial.data");
}

static int read_definition(ConfigReader *reader, QemuDefinition *d, const Text *text) {
        _cleanup_json_ Json *root = NULL;
        JsonError error = {};

        int r = json_parse(text_string(text), text->size, JSON_LIMITS_FILE, &root, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                text_append_printf(reader->errors, "%s:%u: expected JSON: %s\n", reader->file, error.line,
                        error.message);
                return -EINVAL;
        }
        if (json_type(root) != JSON_OBJECT) {
                config_mistake(
                        reader, root, NULL, "expected an object, found %s", json_type_name(json_type(root)));
                return -EINVAL;
        }
        members_read(reader, root, "", definition_members, d, NULL);
        check(reader, d, root);
        if (reader->out_of_memory || text_failed(reader->errors))
                return -ENOMEM;
        return reader->n_errors > 0 ? -EINVAL : 0;
}

int qemu_definition_load(const char *folder, const char *name, QemuDefinition **ret, Text *errors) {
        _cleanup_text_ Text path = {}, text = {};
        ConfigReader reader = { .errors = errors };

        if (!qemu_name_valid(name)) {
                text_append_printf(errors,
                        "\"%.80s\" is no name of a machine: at most %i letters, digits and . _ - that begin "
                        "with no . or - were expected",
                        name, NAME_SIZE_MAX);
                return -EINVAL;
        }
        text_append_printf(&path, "%s/%s.json", folder, name);
        reader.file = text_string(&path);
        _cleanup_(qemu_definition_freep) QemuDefinition *d = definition_new(&reader, name);
        if (!d || text_failed(&path))
                return -ENOMEM;

        int r = io_read_file(AT_FDCWD, reader.file, FILE_SIZE_MAX, &text);
        if (r < 0)
                text_append_printf(errors, "%s: cannot be read: %s", reader.file, strerror(-r));
        else
                r = read_definition(&reader, d, &text);
        if (r < 0) {
                /* It stands in a sentence, or ends one. */
                if (errors->size > 0 && errors->data[errors->size - 1] == '\n')
                        text_truncate(errors, errors->size - 1);
                return r;
        }
        *ret = TAKE_PTR(d);
        return 0;
}
