/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/health.h"

#include <inttypes.h>

#include <systemd/sd-daemon.h>

#include "common/io.h"
#include "watchdog/round-trip.h"

/* The status is told at most this often: every request makes a machine busy and ready again. */
#define STATUS_USEC (250 * USEC_PER_MSEC)
/* systemd ignores a message of more than 4096 bytes. */
#define STATUS_SIZE_MAX ((size_t)4000)

struct Health {
        Manager *manager;
        char *told; /* the status */
        uint64_t told_usec;
        sd_event_source *status_timer;
        bool ready;
        uint64_t period_usec; /* 0: systemd does not watch */
        sd_event_source *timer;
        RoundTrip *round_trip;
};

/* The round trip is complete. */
static void on_round_trip(void *userdata) {
        Health *health = userdata;

        health->round_trip = NULL;
        (void)sd_notify(0, "WATCHDOG=1");
}

static int on_time(sd_event_source *source, uint64_t usec _unused_, void *userdata) {
        Health *health = userdata;

        /* One that is still on its way is waited for: if it never returns, systemd acts. */
        if (!health->round_trip)
                (void)round_trip_new(health->manager->libvirt, health->manager->hypervisors,
                        health->manager->n_hypervisors, on_round_trip, health, &health->round_trip);
        (void)sd_event_source_set_time_relative(source, health->period_usec);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_status_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        health_tell(userdata);
        return 0;
}

int health_new(Manager *manager, Health **ret) {
        _cleanup_(health_freep) Health *health = calloc(1, sizeof(*health));
        if (!health)
                return -ENOMEM;
        health->manager = manager;

        int r = sd_event_add_time(manager->event, &health->status_timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC,
                on_status_time, health);
        if (r >= 0)
                r = sd_event_source_set_enabled(health->status_timer, SD_EVENT_OFF);
        if (r < 0)
                return r;

        uint64_t limit = 0;
        if (sd_watchdog_enabled(false, &limit) > 0) {
                health->period_usec = limit / 4;
                r = sd_event_add_time_relative(manager->event, &health->timer, CLOCK_MONOTONIC, 0,
                        health->period_usec / 10, on_time, health);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(health);
        return 0;
}

void health_leave_out(Health *health, const Hypervisor *hypervisor) {
        round_trip_leave_out(health->round_trip, hypervisor);
}

Health *health_free(Health *health) {
        if (!health)
                return NULL;
        round_trip_forget(health->round_trip);
        sd_event_source_disable_unref(health->timer);
        sd_event_source_disable_unref(health->status_timer);
        free(health->told);
        free(health);
        return NULL;
}

/* As many machines as fit, and how many there are besides. */
static void format_status(const Manager *manager, Text *text) {
        size_t left_out = 0;

        for (size_t i = 0; i < manager->n_keepers; i++) {
                size_t size = text->size;
                if (manager->keepers[i]->retired)
                        continue;
                if (left_out == 0)
                        text_append_printf(
                                text, "%s%s", size > 0 ? "; " : "", keeper_status(manager->keepers[i]));
                if (left_out > 0 || text->size > STATUS_SIZE_MAX) {
                        text_truncate(text, size);
                        left_out++;
                }
        }
        if (left_out > 0)
                text_append_printf(text, " and %zu more", left_out);
        else if (text->size == 0)
                text_append_string(text, "no machines");
}

void health_tell(Health *health) {
        _cleanup_text_ Text text = {};
        uint64_t now = now_monotonic(), next = usec_add(health->told_usec, STATUS_USEC);

        if (now < next) {
                (void)sd_event_source_set_time(health->status_timer, next);
                (void)sd_event_source_set_enabled(health->status_timer, SD_EVENT_ONESHOT);
                return;
        }
        format_status(health->manager, &text);
        if (text_failed(&text) || streq_ptr(health->told, text_string(&text)))
                return;
        (void)sd_notifyf(0, "STATUS=%s", text_string(&text));
        health->told_usec = now;
        free(health->told);
        health->told = NULL;
        (void)text_steal(&text, &health->told, NULL);
}

void health_ready(Health *health) {
        health->ready = true;
        health_tell(health);
        (void)sd_notify(0, "READY=1");
}

void health_reloading(Health *health) {
        if (health->ready)
                (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now_monotonic());
}

void health_reloaded(Health *health) {
        if (health->ready)
                (void)sd_notify(0, "READY=1");
}

void health_stopping(Health *health _unused_) {
        (void)sd_notify(0, "STOPPING=1");
}
