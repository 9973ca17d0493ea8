/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a snapshot or a template was made with and QEMU itself does not check when it loads it: one line,
 * kept with it. */

#include "common/text.h"

/* Empty where it is not known. */
typedef struct Passport {
        char emulator[32]; /* versions: "7.2.22" */
        char libvirt[32];
        char cpu[64];     /* the host's, as libvirt names it; of a template, QEMU's model */
        char machine[64]; /* of a template: QEMU's type, "pc-i440fx-7.2" */
} Passport;

/* Copies a string as a word of such a line. */
void passport_set_word(char *to, size_t size, const char *from);
/* Appends it as one line, without markup. */
void passport_write(const Passport *passport, Text *text);
/* Reads such a line: false if it is none (NULL is none). */
bool passport_read(const char *line, Passport *ret);
/* Whether they say different things of anything that both know. */
bool passport_differs(const Passport *a, const Passport *b);
/* Appends it for people, what is known of it: "QEMU 7.2.22, libvirt 9.0.0, CPU EPYC". */
void passport_show(const Passport *passport, Text *text);
