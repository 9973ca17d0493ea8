/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* -paste: the document goes to org.pbot.VM1.Paste, the one service that reaches the network. */

#include <systemd/sd-bus.h>

#include "common/text.h"

/* *answer becomes the URL, or the words of what went wrong. 0 or -ENOMEM. */
int paste_document(sd_bus *bus, const Text *document, Text *answer);
