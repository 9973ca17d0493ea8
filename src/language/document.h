/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The document that -paste uploads: the code, the command line and the output, as comments of the language.
 */

#include "language/table.h"

typedef struct Document {
        const Text *code;
        const char *command;
        const char *arguments; /* "": none */
        const Text *input;     /* as typed; NULL: none */
        const Text *output;
} Document;

/* Appends it, long lines broken after 120 bytes at white space. 0 or -ENOMEM. */
int document_write(const Document *document, const PasteComments *comments, Text *ret);
