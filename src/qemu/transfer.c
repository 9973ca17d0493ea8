/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/transfer.h"

#include <fcntl.h>
#include <stdio.h>

#include "common/io.h"
#include "qemu/version.h"

/* A load takes 20 to 50 ms. */
#define POLL_USEC (3 * USEC_PER_MSEC)

typedef enum StepKind {
        STEP_COMMAND,
        STEP_DESCRIPTOR, /* only for a QEMU that wants one */
        STEP_URI,        /* its argument is where the state goes or comes from */
        STEP_WAIT,       /* until the migration has ended */
} StepKind;

typedef struct Step {
        StepKind kind;
        const char *command;
        const char *arguments;
} Step;

#define CAPABILITIES                                                                                        \
        {                                                                                                   \
                STEP_COMMAND, "migrate-set-capabilities",                                                   \
                        "{\"capabilities\":[{\"capability\":\"x-ignore-shared\",\"state\":true}]}"          \
        }
#define DESCRIPTOR                                                                                          \
        { STEP_DESCRIPTOR, "getfd", "{\"fdname\":\"state\"}" }
#define WAIT                                                                                                \
        { STEP_WAIT, "query-migrate", NULL }

static const Step steps[][7] = {
        [QEMU_TRANSFER_SAVE] = { { STEP_COMMAND, "stop", NULL }, CAPABILITIES, DESCRIPTOR,
                { STEP_URI, "migrate", NULL }, WAIT, { STEP_COMMAND, "quit", NULL }, {} },
        [QEMU_TRANSFER_LOAD] = { CAPABILITIES, DESCRIPTOR, { STEP_URI, "migrate-incoming", NULL }, WAIT,
                { STEP_COMMAND, "cont", NULL }, {} },
};

struct QemuTransfer {
        Qmp *qmp;
        const Step *step;
        QemuTransferKind kind;
        char *path;
        bool by_descriptor;
        uint64_t deadline_usec;
        sd_event_source *timer; /* to ask again */
        QemuTransferDone done;
        void *userdata;
};

QemuTransfer *qemu_transfer_free(QemuTransfer *transfer) {
        if (!transfer)
                return NULL;
        sd_event_source_disable_unref(transfer->timer);
        free(transfer->path);
        free(transfer);
        return NULL;
}

const char *qemu_transfer_late(QemuTransferKind kind) {
        return kind == QEMU_TRANSFER_SAVE ? "QEMU did not save its state in time"
                                          : "QEMU did not load its state in time";
}

static void finish(QemuTransfer *t, int result, const char *why) {
        (void)sd_event_source_set_enabled(t->timer, SD_EVENT_OFF);
        t->done(result, why, t->userdata);
}

static int do_step(QemuTransfer *t);

static void go_on(QemuTransfer *t, int r) {
        if (r >= 0)
                r = do_step(t);
        if (r < 0)
                finish(t, r, r == -ETIMEDOUT ? qemu_transfer_late(t->kind) : strerror(-r));
        else if (r > 0)
                finish(t, 0, "");
}

/* What the migration has come to: 1 it is done, 0 it goes on, or a negative errno and why. */
static int outcome(const Json *value, const char **ret_why) {
        const char *status = json_string(json_member(value, "status"), NULL),
                   *words = json_string(json_member(value, "error-desc"), NULL);

        if (status && streq(status, "completed"))
                return 1;
        if (status && (streq(status, "failed") || streq(status, "cancelled"))) {
                *ret_why = words ? words : "QEMU says why in its log";
                return -EREMOTEIO;
        }
        return 0;
}

static void on_answer(
        Qmp *qmp _unused_, int result, const Json *value, const char *message, void *userdata) {
        QemuTransfer *t = userdata;
        const char *why = message;

        if (result >= 0 && t->step->kind == STEP_WAIT)
                result = outcome(value, &why);
        else if (result >= 0)
                result = 1;
        if (result < 0)
                finish(t, result, why);
        else if (result > 0) {
                t->step++;
                go_on(t, 0);
        } else {
                int r = sd_event_source_set_time_relative(t->timer, POLL_USEC);
                if (r >= 0)
                        r = sd_event_source_set_enabled(t->timer, SD_EVENT_ONESHOT);
                if (r < 0)
                        finish(t, r, strerror(-r));
        }
}

static int on_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        go_on(userdata, 0);
        return 0;
}

static int state_file(const QemuTransfer *t) {
        int flags = t->kind == QEMU_TRANSFER_SAVE ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY;
        int fd = open(t->path, flags | O_CLOEXEC | O_NOFOLLOW, 0640);

        return fd < 0 ? -errno : fd;
}

static int uri_arguments(const QemuTransfer *t, Text *text) {
        _cleanup_(json_writer_freep) JsonWriter *writer = json_writer_new(false);
        _cleanup_text_ Text uri = {};

        if (t->by_descriptor)
                text_append_string(&uri, "fd:state");
        else
                text_append_printf(&uri, "file:%s", t->path);
        json_open_object(writer);
        json_key(writer, "uri");
        json_put_bytes(writer, text_string(&uri), uri.size);
        json_close_object(writer);
        return text_failed(&uri) ? -ENOMEM : json_writer_finish(writer, text);
}

/* Begins it: 0, 1 if there is none left, or a negative errno. */
static int do_step(QemuTransfer *t) {
        _cleanup_text_ Text text = {};
        _cleanup_close_ int fd = -EBADF;
        uint64_t now = now_monotonic();

        while (t->step->kind == STEP_DESCRIPTOR && !t->by_descriptor)
                t->step++;
        if (!t->step->command)
                return 1;
        if (now >= t->deadline_usec)
                return -ETIMEDOUT;
        if (t->step->kind == STEP_DESCRIPTOR) {
                fd = state_file(t);
                if (fd < 0)
                        return fd;
        }
        if (t->step->kind == STEP_URI) {
                int r = uri_arguments(t, &text);
                if (r < 0)
                        return r;
        }
        return qmp_call(t->qmp, t->step->command, text.size > 0 ? text_string(&text) : t->step->arguments,
                fd, t->deadline_usec - now, on_answer, t);
}

int qemu_transfer_new(sd_event *event, Qmp *qmp, QemuTransferKind kind, const char *path,
        uint64_t limit_usec, QemuTransferDone done, void *userdata, QemuTransfer **ret) {
        _cleanup_(qemu_transfer_freep) QemuTransfer *t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;

        *t = (QemuTransfer){
                .qmp = qmp,
                .step = steps[kind],
                .kind = kind,
                .path = strdup(path),
                .by_descriptor = qemu_version_before(qmp_version(qmp), 8, 2),
                .deadline_usec = usec_add(now_monotonic(), limit_usec),
                .done = done,
                .userdata = userdata,
        };
        if (!t->path)
                return -ENOMEM;
        /* The first step is done from the loop, too. */
        int r = sd_event_add_time_relative(event, &t->timer, CLOCK_MONOTONIC, 0, 1, on_time, t);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}
