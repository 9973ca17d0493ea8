/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/notify.h"

#include <inttypes.h>

#include <systemd/sd-daemon.h>

#include "common/io.h"

/* The status is told at most this often: every request makes a machine busy and ready again. */
#define STATUS_USEC (250 * USEC_PER_MSEC)

struct Notify {
        NotifyHooks hooks;
        char *told; /* the status */
        uint64_t told_usec;
        sd_event_source *status_timer;
        bool ready;
        uint64_t period_usec; /* 0: systemd does not watch */
        sd_event_source *timer;
        bool asked; /* for a sign of life that has not come yet */
};

static void on_alive(void *userdata) {
        Notify *notify = userdata;

        notify->asked = false;
        (void)sd_notify(0, "WATCHDOG=1");
}

static int on_time(sd_event_source *source, uint64_t usec _unused_, void *userdata) {
        Notify *notify = userdata;

        /* One that is still on its way is waited for: if it never returns, systemd acts. */
        if (!notify->asked) {
                notify->asked = true;
                if (notify->hooks.alive(on_alive, notify, notify->hooks.userdata) < 0)
                        notify->asked = false;
        }
        (void)sd_event_source_set_time_relative(source, notify->period_usec);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_status_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        notify_status(userdata);
        return 0;
}

int notify_new(sd_event *event, const NotifyHooks *hooks, Notify **ret) {
        _cleanup_(notify_freep) Notify *notify = calloc(1, sizeof(*notify));
        if (!notify)
                return -ENOMEM;
        notify->hooks = *hooks;

        int r = sd_event_add_time(
                event, &notify->status_timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_status_time, notify);
        if (r >= 0)
                r = sd_event_source_set_enabled(notify->status_timer, SD_EVENT_OFF);
        if (r < 0)
                return r;

        uint64_t limit = 0;
        if (sd_watchdog_enabled(false, &limit) > 0) {
                notify->period_usec = limit / 4;
                r = sd_event_add_time_relative(event, &notify->timer, CLOCK_MONOTONIC, 0,
                        notify->period_usec / 10, on_time, notify);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(notify);
        return 0;
}

Notify *notify_free(Notify *notify) {
        if (!notify)
                return NULL;
        sd_event_source_disable_unref(notify->timer);
        sd_event_source_disable_unref(notify->status_timer);
        free(notify->told);
        free(notify);
        return NULL;
}

void notify_status(Notify *notify) {
        _cleanup_text_ Text text = {};
        uint64_t now = now_monotonic(), next = usec_add(notify->told_usec, STATUS_USEC);

        if (now < next) {
                (void)sd_event_source_set_time(notify->status_timer, next);
                (void)sd_event_source_set_enabled(notify->status_timer, SD_EVENT_ONESHOT);
                return;
        }
        notify->hooks.status(&text, notify->hooks.userdata);
        if (text_failed(&text) || streq_ptr(notify->told, text_string(&text)))
                return;
        (void)sd_notifyf(0, "STATUS=%s", text_string(&text));
        notify->told_usec = now;
        free(notify->told);
        notify->told = NULL;
        (void)text_steal(&text, &notify->told, NULL);
}

void notify_ready(Notify *notify) {
        notify->ready = true;
        notify_status(notify);
        (void)sd_notify(0, "READY=1");
}

void notify_reloading(Notify *notify) {
        if (notify->ready)
                (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now_monotonic());
}

void notify_reloaded(Notify *notify) {
        if (notify->ready)
                (void)sd_notify(0, "READY=1");
}

void notify_stopping(void) {
        (void)sd_notify(0, "STOPPING=1");
}
