/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A template: a folder of a machine's name with what a run of it begins from.
 *
 *   ram         the guest's memory
 *   devices     what QEMU's devices hold
 *   disk.qcow2  an overlay on the definition's disk
 *   hardware    what it was made with, of the definition (qemu_arguments_append_hardware())
 *   passport    what else it was made with (passport/passport.h)
 *
 * None of them is written to once it is there: memory and disk are mapped, or overlaid, by each run. */

#include "passport/passport.h"
#include "qemu/definition.h"

typedef struct QemuTemplate {
        Passport passport;
        uint64_t made_usec; /* CLOCK_REALTIME */
} QemuTemplate;

/* Looks at the template in a folder. 0; -ENOENT: there is none; -ESTALE: it does not fit the definition; or
 * another negative errno. *why has a sentence for people then, with what to do. */
int qemu_template_look(const char *folder, const QemuDefinition *definition, QemuTemplate *ret, Text *why);

/* Writes hardware and passport of one whose other files are there. 0 or negative errno. */
int qemu_template_sign(const char *folder, const QemuDefinition *definition, const Passport *passport);
