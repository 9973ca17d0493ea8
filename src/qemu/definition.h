/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A machine that QEMU runs without libvirt: its definition, a file of JSON that pbotvm-qemu(8) describes. */

#include "common/text.h"

typedef enum QemuAccelerator {
        QEMU_ACCELERATOR_AUTO, /* KVM where it works */
        QEMU_ACCELERATOR_KVM,
        QEMU_ACCELERATOR_TCG,
} QemuAccelerator;

typedef enum QemuNetwork {
        QEMU_NETWORK_NONE,
        QEMU_NETWORK_USER, /* QEMU's own, behind the host's addresses */
} QemuNetwork;

typedef enum QemuFormat {
        QEMU_FORMAT_QCOW2,
        QEMU_FORMAT_RAW,
} QemuFormat;

typedef struct QemuDefinition {
        char *name;     /* the file's, without .json */
        char *emulator; /* path of the program */
        char *machine;  /* QEMU's machine type */
        QemuAccelerator accelerator;
        char *cpu;
        unsigned processors;
        uint64_t memory_bytes; /* a multiple of 1 MiB */
        char *kernel;          /* NULL: the disk boots; then the two that follow are NULL too */
        char *initrd;
        char *append;
        char *disk; /* path of the image, which is never written to */
        QemuFormat disk_format;
        uint64_t disk_bytes_per_second; /* 0: any */
        uint64_t disk_requests_per_second;
        uint64_t random_bytes_per_second;
        uint16_t serial_data; /* TCP ports on 127.0.0.1; 0: no such line */
        uint16_t serial_heart;
        QemuNetwork network;
} QemuDefinition;

QemuDefinition *qemu_definition_free(QemuDefinition *definition);
DEFINE_CLEANUP(QemuDefinition *, qemu_definition_free);

/* Whether a machine may be called so: it becomes part of unit names and paths. */
bool qemu_name_valid(const char *name);

/* Reads FOLDER/NAME.json. 0; -EINVAL: there are mistakes, *errors has a line "FILE:LINE: MEMBER: what was
 * expected" for each, the last one without a newline; -ENOENT: there is no such file; or another negative
 * errno. *errors says why in each of these cases. */
int qemu_definition_load(const char *folder, const char *name, QemuDefinition **ret, Text *errors);
