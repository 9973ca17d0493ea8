/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* -paste: the document goes to org.pbot.VM1.Paste, the one service that reaches the network. */

#include <systemd/sd-bus.h>

#include "common/text.h"

/* timeout_usec: how long to wait, 12 s at most. *answer becomes the URL, an http or https one, or the words
 * of what went wrong: one line either way, cleaned as output is. 0 or -ENOMEM. */
int paste_document(sd_bus *bus, const Text *document, uint64_t timeout_usec, Text *answer);
