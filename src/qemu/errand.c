/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/errand.h"

#include <stdio.h>
#include <sys/epoll.h>

#include "common/io.h"

/* Its socket is there within 0.1 s. */
#define CONNECT_USEC (5 * USEC_PER_MSEC)

typedef struct Visit {
        const QemuErrand *errand;
        sd_event *event;
        uint64_t deadline_usec;
        sd_event_source *retry, *limit, *process;
        Qmp *qmp;
        QemuTransfer *transfer;
        QemuIdentity *identity;
        Text *why;
        bool ended;
        int result;
} Visit;

static void visit_done(Visit *visit) {
        qemu_transfer_free(visit->transfer);
        qmp_free(visit->qmp);
        sd_event_source_disable_unref(visit->retry);
        sd_event_source_disable_unref(visit->limit);
        sd_event_source_disable_unref(visit->process);
        sd_event_unref(visit->event);
}

/* What comes after the first end is of no matter. */
static void end(Visit *visit, int result, const char *why) {
        if (visit->ended)
                return;
        visit->ended = true;
        visit->result = result;
        if (result < 0)
                text_append_string(visit->why, why);
}

static uint64_t time_left(const Visit *visit) {
        uint64_t now = now_monotonic();

        return visit->deadline_usec > now ? visit->deadline_usec - now : 0;
}

static void on_transferred(int result, const char *why, void *userdata) {
        end(userdata, result, why);
}

static void on_type(Qmp *qmp, int result, const Json *value, const char *message, void *userdata) {
        Visit *visit = userdata;
        const char *type = json_string(value, NULL);

        if (result < 0 || !type) {
                end(visit, result < 0 ? result : -EPROTO,
                        result < 0 ? message : "QEMU tells no machine type");
                return;
        }
        size_t size = strlen(type), suffix = strlen("-machine");
        if (size > suffix && streq(type + size - suffix, "-machine"))
                size -= suffix;
        (void)snprintf(visit->identity->version, sizeof(visit->identity->version), "%s", qmp_version(qmp));
        (void)snprintf(visit->identity->machine, sizeof(visit->identity->machine), "%.*s", (int)size, type);
        if (!visit->errand->devices) {
                end(visit, 0, "");
                return;
        }
        int r = qemu_transfer_new(visit->event, qmp, visit->errand->kind, visit->errand->devices,
                time_left(visit), on_transferred, visit, &visit->transfer);
        if (r < 0)
                end(visit, r, strerror(-r));
}

static void on_ready(Qmp *qmp, void *userdata) {
        Visit *visit = userdata;

        int r = qmp_call(qmp, "qom-get", "{\"path\":\"/machine\",\"property\":\"type\"}", -1,
                time_left(visit), on_type, visit);
        if (r < 0)
                end(visit, r, strerror(-r));
}

static void on_closed(Qmp *qmp _unused_, int error, const char *why, void *userdata) {
        end(userdata, error, why);
}

static int on_retry(sd_event_source *source, uint64_t usec _unused_, void *userdata) {
        Visit *visit = userdata;
        const QmpHooks hooks = { .ready = on_ready, .closed = on_closed, .userdata = visit };

        int r = qmp_connect(visit->event, visit->errand->monitor, &hooks, &visit->qmp);
        if (r == -ENOENT || r == -ECONNREFUSED || r == -EAGAIN) {
                r = sd_event_source_set_time_relative(source, CONNECT_USEC);
                if (r >= 0)
                        r = sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        }
        if (r < 0)
                end(visit, r, strerror(-r));
        return 0;
}

static int on_limit(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Visit *visit = userdata;

        end(visit, -ETIMEDOUT,
                visit->transfer ? qemu_transfer_late(visit->errand->kind)
                                : "QEMU did not get ready in time");
        return 0;
}

/* A closed monitor may have said more; at the end of a process there is nobody to say it. */
static int on_process(
        sd_event_source *source _unused_, int fd _unused_, uint32_t revents _unused_, void *userdata) {
        Visit *visit = userdata;

        if (!visit->qmp)
                end(visit, -ESRCH, "QEMU ended; its log has why");
        return sd_event_source_set_enabled(visit->process, SD_EVENT_OFF);
}

static int visit_begin(Visit *visit) {
        int r = sd_event_new(&visit->event);
        if (r >= 0)
                r = sd_event_add_time_relative(
                        visit->event, &visit->retry, CLOCK_MONOTONIC, 0, 1, on_retry, visit);
        if (r >= 0)
                r = sd_event_add_time(visit->event, &visit->limit, CLOCK_MONOTONIC, visit->deadline_usec,
                        USEC_PER_MSEC, on_limit, visit);
        if (r >= 0)
                r = sd_event_add_io(
                        visit->event, &visit->process, visit->errand->pidfd, EPOLLIN, on_process, visit);
        return r;
}

int qemu_errand_run(const QemuErrand *errand, QemuIdentity *ret, Text *why) {
        _cleanup_(visit_done) Visit visit = {
                .errand = errand,
                .deadline_usec = usec_add(now_monotonic(), errand->limit_usec),
                .identity = ret,
                .why = why,
        };

        int r = visit_begin(&visit);
        while (r >= 0 && !visit.ended)
                r = sd_event_run(visit.event, UINT64_MAX);
        if (!visit.ended)
                end(&visit, r, strerror(-r));
        return visit.result;
}
