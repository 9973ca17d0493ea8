/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Base64 of RFC 4648, section 4: the standard alphabet, with padding, without line breaks. */

#include "common/text.h"

void base64_append_encoded(Text *text, const void *data, size_t size);

/* Appends the decoded bytes. 0, -EBADMSG (a wrong character, length or padding), -ENOMEM. */
int base64_append_decoded(Text *text, const char *encoded, size_t size);
