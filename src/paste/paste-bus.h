/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.pbot.VM1.Paste on the bus: Paste(s document) -> s url. Where the configuration names no service, and
 * whenever something fails, the caller gets an error org.pbot.VM1.Error.* whose message is for its client.
 * Who may call is said by the bus's policy. */

#include <systemd/sd-bus.h>

#include "common/macro.h"

typedef struct PasteService PasteService;

typedef struct PasteOptions {
        uint64_t timeout_usec; /* of one upload */
        uint64_t idle_usec;    /* without an upload: the event loop ends; USEC_INFINITY: it does not */
} PasteOptions;

/* Serves on a connected bus that is attached to its event loop. 0 or a negative errno. */
int paste_service_new(sd_bus *bus, const PasteOptions *options, PasteService **ret);
PasteService *paste_service_free(PasteService *service);
DEFINE_CLEANUP(PasteService *, paste_service_free);
