/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/qemu/spare.h"

#include <stdio.h>

#include "common/io.h"
#include "common/reply.h"
#include "qmp/qmp.h"
#include "watchdog/qemu/unit-job.h"
#include "watchdog/transport/probe.h"
#include "watchdog/transport/transport.h"

/* Longer than systemd itself waits for the unit. */
#define START_USEC (70 * USEC_PER_SEC)
/* Without KVM the first answer takes 0.3 s, and more where others have the processors. */
#define PROOF_USEC (60 * USEC_PER_SEC)
/* One question; a guest may miss the first. */
#define QUESTION_USEC (10 * USEC_PER_SEC)
#define PAUSE_USEC (100 * USEC_PER_MSEC)
#define STOP_USEC (5 * USEC_PER_SEC)
/* Somebody waits for it, and another one may be better. */
#define WAKE_USEC (2 * USEC_PER_SEC)

struct Spare {
        sd_bus *bus;
        SpareOrder order;
        SpareHooks hooks;
        UnitJob *job;
        Qmp *qmp;
        Connector *connector;
        Probe *probe;
        int channel;
        bool lanes;
        bool waking;
        uint64_t deadline_usec; /* of the proof */
        sd_event_source *timer; /* to try again */
        bool failed;
};

static sd_event *event_of(const Spare *spare) {
        return sd_bus_get_event(spare->bus);
}

static void stop_asking(Spare *spare) {
        spare->probe = probe_free(spare->probe);
        spare->connector = connector_free(spare->connector);
        (void)sd_event_source_set_enabled(spare->timer, SD_EVENT_OFF);
}

static void fail(Spare *spare, const char *why) {
        if (spare->failed)
                return;
        spare->failed = true;
        stop_asking(spare);
        spare->hooks.failed(spare, why, spare->hooks.userdata);
}

/* ---- the monitor ---- */

static void tell(Spare *spare, int result, const char *message, void (*hook)(Spare *spare, void *userdata)) {
        if (result < 0)
                fail(spare, message);
        else
                hook(spare, spare->hooks.userdata);
}

static void on_woken(
        Qmp *qmp _unused_, int result, const Json *value _unused_, const char *message, void *userdata) {
        Spare *spare = userdata;

        tell(spare, result, message, spare->hooks.woken);
}

static void on_stopped(
        Qmp *qmp _unused_, int result, const Json *value _unused_, const char *message, void *userdata) {
        Spare *spare = userdata;

        tell(spare, result, message, spare->hooks.made);
}

static void on_closed(Qmp *qmp _unused_, int error _unused_, const char *why, void *userdata) {
        fail(userdata, why);
}

static void on_event(Qmp *qmp _unused_, const char *name, const Json *data _unused_, void *userdata) {
        if (streq(name, "GUEST_PANICKED") || streq(name, "RESET"))
                fail(userdata, streq(name, "RESET") ? "its guest boots" : "its guest panicked");
}

/* ---- the proof ---- */

static void try_later(Spare *spare) {
        if (now_monotonic() >= spare->deadline_usec) {
                fail(spare, "its guest's agent did not answer in time");
                return;
        }
        int r = sd_event_source_set_time_relative(spare->timer, PAUSE_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(spare->timer, SD_EVENT_ONESHOT);
        if (r < 0)
                fail(spare, strerror(-r));
}

static void on_answer(int result, void *userdata) {
        Spare *spare = userdata;

        spare->lanes = result >= 0 && probe_speaks(spare->probe, SPEAKS_LANES);
        spare->probe = probe_free(spare->probe);
        if (result < 0) {
                spare->channel = fd_close(spare->channel);
                try_later(spare);
                return;
        }
        int r = spare->order.runs ? 0 : qmp_call(spare->qmp, "stop", NULL, -1, STOP_USEC, on_stopped, spare);
        if (r < 0)
                fail(spare, strerror(-r));
        else if (spare->order.runs)
                spare->hooks.made(spare, spare->hooks.userdata);
}

static void on_connected(int fd, void *userdata) {
        Spare *spare = userdata;

        spare->connector = connector_free(spare->connector);
        spare->channel = fd;
        if (fd < 0 || probe_new(event_of(spare), fd, spare->order.framing, NULL, QUESTION_USEC, on_answer,
                              spare, &spare->probe) < 0) {
                spare->channel = fd_close(spare->channel);
                try_later(spare);
        }
}

static int on_try(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Spare *spare = userdata;
        const Endpoint endpoint = {
                .kind = TRANSPORT_CHANNEL,
                .path = text_string(&spare->order.place->data),
        };

        if (connector_new(event_of(spare), &endpoint, NULL, on_connected, spare, &spare->connector) < 0)
                try_later(spare);
        return 0;
}

static void on_ready(Qmp *qmp _unused_, void *userdata) {
        Spare *spare = userdata;

        spare->deadline_usec = usec_add(now_monotonic(), PROOF_USEC);
        (void)on_try(NULL, 0, spare);
}

/* ---- beginning and end ---- */

static void on_started(int result, const char *why, void *userdata) {
        Spare *spare = userdata;
        const QmpHooks hooks = {
                .ready = on_ready, .event = on_event, .closed = on_closed, .userdata = spare
        };
        /* Held until the hook returns. */
        _cleanup_(unit_job_freep) UnitJob *job _unused_ = TAKE_PTR(spare->job);

        if (result < 0) {
                fail(spare, why);
                return;
        }
        int r = qmp_connect(event_of(spare), text_string(&spare->order.place->monitor), &hooks, &spare->qmp);
        if (r < 0)
                fail(spare, strerror(-r));
}

int spare_wake(Spare *spare) {
        int r = qmp_call(spare->qmp, "cont", NULL, -1, WAKE_USEC, on_woken, spare);

        spare->waking = r >= 0;
        return r;
}

bool spare_is_waking(const Spare *spare) {
        return spare->waking;
}

int spare_take_channel(Spare *spare, bool *ret_lanes) {
        *ret_lanes = spare->lanes;
        return TAKE_FD(spare->channel);
}

Spare *spare_free(Spare *spare) {
        if (!spare)
                return NULL;
        unit_job_free(spare->job);
        probe_free(spare->probe);
        connector_free(spare->connector);
        qmp_free(spare->qmp);
        fd_close(spare->channel);
        sd_event_source_disable_unref(spare->timer);
        sd_bus_unref(spare->bus);
        free(spare);
        return NULL;
}

int spare_new(sd_bus *bus, const SpareOrder *order, const SpareHooks *hooks, Spare **ret) {
        _cleanup_(spare_freep) Spare *spare = calloc(1, sizeof(*spare));
        if (!spare)
                return -ENOMEM;

        *spare = (Spare){ .bus = sd_bus_ref(bus), .order = *order, .hooks = *hooks, .channel = -EBADF };
        int r = sd_event_add_time(
                event_of(spare), &spare->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_try, spare);
        if (r >= 0)
                r = sd_event_source_set_enabled(spare->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = unit_job_new(bus, "RestartUnit", text_string(&order->place->unit), START_USEC,
                        on_started, spare, &spare->job);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(spare);
        return 0;
}
