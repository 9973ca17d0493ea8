/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The document that -paste shows: code, command line and output, the latter two in comments of the language.
 */

#include "common/request.h"
#include "language/table.h"

/* Appends it. stdin_text: what -stdin gave, NULL: nothing. Long lines are broken at white space behind 120
 * bytes. 0 or -ENOMEM. */
int document_append(Text *document, const Language *language, const Request *request, const char *stdin_text,
        const Text *output);
