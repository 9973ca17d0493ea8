/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sends documents to a paste service: a POST of multipart/form-data with one part "file", whose answer's
 * body is the URL, as 0x0.st takes it. */

#include <systemd/sd-event.h>

#include "common/text.h"

#define UPLOADS_MAX 8 /* at once */

typedef struct Uploader Uploader;

typedef struct UploadOptions {
        uint64_t timeout_usec; /* of one upload in all */
} UploadOptions;

/* An upload has ended: url is the URL, or NULL and error says why there is none, in words for a person.
 * Called once for each upload that was started, from the event loop or when the uploader is freed. */
typedef void (*UploadDone)(void *userdata, const char *url, const char *error);

/* libcurl's global part must have been initialised. 0 or a negative errno. */
int uploader_new(sd_event *event, const UploadOptions *options, Uploader **ret);
/* Ends all uploads. */
Uploader *uploader_free(Uploader *uploader);
DEFINE_CLEANUP(Uploader *, uploader_free);

/* Uploads that are under way. */
size_t uploader_count(const Uploader *uploader);

/* Starts an upload; url and document are copied. 0, -EBUSY (UPLOADS_MAX are under way), -EINVAL (no http or
 * https URL) or -ENOMEM. Unless 0, done is not called. */
int upload_start(Uploader *uploader, const char *url, const char *document, UploadDone done, void *userdata);
