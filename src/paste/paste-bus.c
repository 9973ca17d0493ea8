/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/log.h"
#include "common/utf8.h"
#include "common/vm1.h"
#include "config/config.h"
#include "paste/paste-bus.h"
#include "paste/upload.h"

/* A program and its output have a megabyte each at most; comments around them are short. */
#define DOCUMENT_BYTES (4 * 1024 * 1024)

extern char **environ;

struct PasteService {
        sd_bus *bus;
        PasteOptions options;
        Uploader *uploader;
        sd_bus_slot *slot;
        sd_event_source *idle;
        sd_event_source *exit;
        bool leaving; /* the name is given back; what had been sent to it is still served */
};

PasteService *paste_service_free(PasteService *service) {
        if (service) {
                uploader_free(service->uploader);
                sd_event_source_disable_unref(service->idle);
                sd_event_source_disable_unref(service->exit);
                sd_bus_slot_unref(service->slot);
                sd_bus_unref(service->bus);
                free(service);
        }
        return NULL;
}

static sd_event *loop(PasteService *service) {
        return sd_bus_get_event(service->bus);
}

/* After a request: waits for the next, or ends. */
static void wait_for_work(PasteService *service) {
        if (uploader_count(service->uploader) > 0)
                return;
        if (service->leaving)
                (void)sd_event_exit(loop(service), 0);
        else if (service->idle) {
                (void)sd_event_source_set_time_relative(service->idle, service->options.idle_usec);
                (void)sd_event_source_set_enabled(service->idle, SD_EVENT_ONESHOT);
        }
}

static int on_name_released(_unused_ sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        PasteService *service = userdata;

        service->leaving = true;
        wait_for_work(service);
        return 0;
}

/* The name goes first: a call that comes after that starts the service anew, one that came before is
 * answered. */
static int on_idle(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        PasteService *service = userdata;

        if (uploader_count(service->uploader) > 0)
                return 0;
        return sd_bus_release_name_async(service->bus, NULL, VM1_PASTE, on_name_released, service);
}

/* The bus closes with the loop: whoever waits is told before. */
static int on_exit_begun(_unused_ sd_event_source *source, void *userdata) {
        PasteService *service = userdata;

        service->uploader = uploader_free(service->uploader);
        return 0;
}

/* What an upload is for. */
typedef struct Call {
        PasteService *service;
        sd_bus_message *message;
} Call;

static void on_uploaded(void *userdata, const char *url, const char *error) {
        _cleanup_free_ Call *call = userdata;
        int r;

        if (url)
                r = sd_bus_reply_method_return(call->message, "s", url);
        else {
                log_notice("A paste failed: %s", error);
                r = sd_bus_reply_method_errorf(call->message, VM1_ERROR_PASTE_FAILED, "%s", error);
        }
        if (r < 0)
                (void)log_warning_errno(r, "Failed to answer: %m");

        sd_bus_message_unref(call->message);
        wait_for_work(call->service);
}

static int start_upload(PasteService *service, sd_bus_message *m, const char *url, const char *document) {
        _cleanup_free_ Call *call = calloc(1, sizeof(*call));
        int r;

        if (!call)
                return -ENOMEM;
        *call = (Call){ service, m };
        r = upload_start(service->uploader, url, document, on_uploaded, call);
        if (r < 0)
                return r;
        sd_bus_message_ref(m);
        TAKE_PTR(call);
        return 1;
}

/* The configuration is read for each call: it is small, and a change counts at once. */
static int load_config(Config **ret) {
        _cleanup_text_ Text errors = {};
        int r;

        r = config_load(NULL, environ, ret, &errors);
        text_truncate(&errors, utf8_trimmed_size(text_string(&errors), errors.size));
        if (r < 0)
                return log_write(LOG_ERR, r, MESSAGE_CONFIG, NULL, "The configuration is wrong: %s",
                        text_string(&errors));
        return 0;
}

static int paste(PasteService *service, sd_bus_message *m, const char *document, sd_bus_error *error) {
        _cleanup_(config_freep) Config *config = NULL;
        int r;

        if (strlen(document) > DOCUMENT_BYTES)
                return sd_bus_error_set(error, VM1_ERROR_PASTE_FAILED, "the document is too long");
        if (load_config(&config) < 0)
                return sd_bus_error_set(error, VM1_ERROR_MISCONFIGURED,
                        "pasting is misconfigured; see the log of pbotvm-paste");
        if (!config->paste_url)
                return sd_bus_error_set(error, VM1_ERROR_PASTE_OFF, "pasting is not configured");

        r = start_upload(service, m, config->paste_url, document);
        if (r == -EBUSY)
                return sd_bus_error_set(error, VM1_ERROR_BUSY, "too many at once, try again soon");
        if (r == -EINVAL) {
                log_error("The member \"paste\" is no http or https URL.");
                return sd_bus_error_set(error, VM1_ERROR_MISCONFIGURED,
                        "pasting is misconfigured; see the log of pbotvm-paste");
        }
        return r;
}

static int method_paste(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        PasteService *service = userdata;
        const char *document;
        int r;

        r = sd_bus_message_read(m, "s", &document);
        if (r < 0)
                return r;
        r = paste(service, m, document, error);
        wait_for_work(service);
        return r;
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Paste", SD_BUS_ARGS("s", document), SD_BUS_RESULT("s", url), method_paste,
                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int paste_service_new(sd_bus *bus, const PasteOptions *options, PasteService **ret) {
        const UploadOptions upload_options = { options->timeout_usec };
        int r;

        _cleanup_(paste_service_freep) PasteService *service = calloc(1, sizeof(*service));
        if (!service)
                return -ENOMEM;
        *service = (PasteService){ .bus = sd_bus_ref(bus), .options = *options };

        r = uploader_new(loop(service), &upload_options, &service->uploader);
        if (r >= 0)
                r = sd_bus_add_object_vtable(
                        bus, &service->slot, VM1_PASTE_PATH, VM1_PASTE, vtable, service);
        if (r >= 0 && options->idle_usec != USEC_INFINITY)
                r = sd_event_add_time_relative(loop(service), &service->idle, CLOCK_MONOTONIC,
                        options->idle_usec, 0, on_idle, service);
        if (r >= 0)
                r = sd_event_add_exit(loop(service), &service->exit, on_exit_begun, service);
        if (r >= 0)
                r = sd_event_source_set_priority(service->exit, SD_EVENT_PRIORITY_IMPORTANT);
        if (r >= 0)
                r = sd_bus_request_name(bus, VM1_PASTE, 0);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(service);
        return 0;
}
