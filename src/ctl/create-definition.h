/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The definition of a domain that is made from an image, by the template that guest/image/domain uses too.
 */

#include "ctl/doctor/facts.h"
#include "config/config.h"

typedef struct CreateChoice {
        const MachineConfig *machine;
        const char *image; /* an absolute path */
        unsigned memory_mib, cpus;
} CreateChoice;

/* What the disk of an image is: "qcow2", NULL with *ret_error (static) if it is none or cannot be read. */
const char *create_image_format(const char *path, const char **ret_error);

/* Fills in the template. capabilities: libvirt's, of the host: they tell whether it has KVM, and its QEMU.
 * Where STEM.kernel and STEM.initrd lie beside an image STEM.qcow2 they are booted, as guest/image/build has
 * it; else the disk is. The machine's channels, and its serial lines and vsock where the configuration names
 * them, are there. hypervisor: its other domains' ports and CIDs are not chosen. 0 with *ret, -EBADMSG (the
 * template is none), or what attach_edit() returns. */
int create_definition(const CreateChoice *choice, const char *template, xmlDocPtr capabilities,
        const HypervisorFacts *hypervisor, xmlDocPtr *ret);
