/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What systemd is told: readiness, one line of status for people, and the watchdog's own sign of life, which
 * is tied to a round trip through all that calls go through, not to a turn of the loop. */

#include <systemd/sd-event.h>

#include "common/text.h"

typedef struct NotifyHooks {
        /* Writes the status as it is now. */
        void (*status)(Text *text, void *userdata);
        /* Calls done once, from the loop, when everything is known to turn; see backend.h. 0 or negative
         * errno. */
        int (*alive)(void (*done)(void *done_userdata), void *done_userdata, void *userdata);
        void *userdata;
} NotifyHooks;

typedef struct Notify Notify;
int notify_new(sd_event *event, const NotifyHooks *hooks, Notify **ret);
/* The loop does not turn any more: nobody calls done. */
Notify *notify_free(Notify *notify);
DEFINE_CLEANUP(Notify *, notify_free);

/* A status is at most this long: systemd ignores a message of more than 4096 bytes. */
#define NOTIFY_STATUS_MAX ((size_t)4000)

/* The bus name is ours: READY=1. */
void notify_ready(Notify *notify);
void notify_reloading(Notify *notify);
void notify_reloaded(Notify *notify);
void notify_stopping(void);
/* Tells the status, if it is not as it was told last. */
void notify_status(Notify *notify);
