/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libcurl's transfers on an sd-event loop, none of which blocks it. */

#include <curl/curl.h>
#include <systemd/sd-event.h>

#include "common/macro.h"

typedef struct Multi Multi;

/* A transfer that was added has ended; its handle is out of the loop. The callback may free the handle. */
typedef void (*MultiDone)(CURL *handle, CURLcode result);

/* 0 or -ENOMEM. */
int multi_new(sd_event *event, MultiDone done, Multi **ret);
/* All transfers have been removed before. */
Multi *multi_free(Multi *multi);
DEFINE_CLEANUP(Multi *, multi_free);

/* Starts a transfer: 0 or -ENOMEM. */
int multi_add(Multi *multi, CURL *handle);
/* Takes back one that has not ended. */
void multi_remove(Multi *multi, CURL *handle);
