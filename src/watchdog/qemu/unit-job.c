/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/qemu/unit-job.h"

#include <stdio.h>

#include "common/io.h"
#include "common/log.h"

struct UnitJob {
        sd_bus *bus;
        char *unit;
        char *path; /* of the job; NULL: systemd has not answered yet */
        sd_bus_slot *match, *call, *question;
        sd_event_source *timer;
        uint64_t limit_usec;
        char result[40]; /* systemd's word */
        UnitJobDone done;
        void *userdata;
};

UnitJob *unit_job_free(UnitJob *job) {
        if (!job)
                return NULL;
        sd_bus_slot_unref(job->match);
        sd_bus_slot_unref(job->call);
        sd_bus_slot_unref(job->question);
        sd_event_source_disable_unref(job->timer);
        sd_bus_unref(job->bus);
        free(job->unit);
        free(job->path);
        free(job);
        return NULL;
}

/* The job may be freed in it. */
static int finish(UnitJob *job, int result, const char *why) {
        job->match = sd_bus_slot_unref(job->match);
        (void)sd_event_source_set_enabled(job->timer, SD_EVENT_OFF);
        job->done(result, why, job->userdata);
        return 0;
}

static int on_status(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        UnitJob *job = userdata;
        const char *status = NULL;
        char why[500];

        if (sd_bus_message_is_method_error(reply, NULL) ||
                sd_bus_message_read(reply, "v", "s", &status) < 0 || isempty(status))
                (void)snprintf(why, sizeof(why), "%s: %s; its journal says why", job->unit, job->result);
        else
                (void)snprintf(why, sizeof(why), "%s", status);
        return finish(job, -EIO, why);
}

static int on_removed(sd_bus_message *signal, void *userdata, sd_bus_error *error _unused_) {
        UnitJob *job = userdata;
        const char *path, *unit, *result;
        uint32_t id;

        if (sd_bus_message_read(signal, "uoss", &id, &path, &unit, &result) < 0 || !job->path ||
                !streq(path, job->path))
                return 0;
        if (streq(result, "done"))
                return finish(job, 0, "");
        (void)snprintf(job->result, sizeof(job->result), "%s", result);
        job->match = sd_bus_slot_unref(job->match);
        int r = unit_get_property(job->bus, job->unit, "StatusText", on_status, job, &job->question);
        return r < 0 ? finish(job, r, strerror(-r)) : 0;
}

static int on_queued(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        UnitJob *job = userdata;
        const sd_bus_error *e = sd_bus_message_get_error(reply);
        const char *path;
        char why[300];

        if (!e && sd_bus_message_read(reply, "o", &path) >= 0) {
                job->path = strdup(path);
                return job->path ? 0 : finish(job, -ENOMEM, "out of memory");
        }
        (void)snprintf(why, sizeof(why), "systemd does not start %s: %s", job->unit,
                e && e->message ? e->message : "it is not understood");
        return finish(job, e ? -sd_bus_error_get_errno(e) : -EPROTO, why);
}

static int on_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        UnitJob *job = userdata;
        char why[300];

        (void)snprintf(why, sizeof(why), "systemd has not started %s within %.0f s", job->unit,
                (double)job->limit_usec / USEC_PER_SEC);
        job->call = sd_bus_slot_unref(job->call);
        job->question = sd_bus_slot_unref(job->question);
        return finish(job, -ETIMEDOUT, why);
}

int unit_get_property(sd_bus *bus, const char *unit, const char *property, sd_bus_message_handler_t done,
        void *userdata, sd_bus_slot **ret) {
        _cleanup_free_ char *path = NULL;

        int r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path);
        return r < 0 ? r
                     : sd_bus_call_method_async(bus, ret, SYSTEMD_NAME, path,
                               "org.freedesktop.DBus.Properties", "Get", done, userdata, "ss",
                               "org.freedesktop.systemd1.Service", property);
}

int unit_job_new(sd_bus *bus, const char *method, const char *unit, uint64_t limit_usec, UnitJobDone done,
        void *userdata, UnitJob **ret) {
        _cleanup_(unit_job_freep) UnitJob *job = calloc(1, sizeof(*job));
        if (!job)
                return -ENOMEM;

        job->bus = sd_bus_ref(bus);
        job->unit = strdup(unit);
        job->limit_usec = limit_usec;
        job->done = done;
        job->userdata = userdata;
        if (!job->unit)
                return -ENOMEM;
        int r = sd_bus_match_signal_async(bus, &job->match, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                "JobRemoved", on_removed, NULL, job);
        if (r >= 0)
                r = sd_bus_call_method_async(bus, &job->call, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                        method, on_queued, job, "ss", unit, "replace");
        if (r >= 0)
                r = sd_event_add_time_relative(sd_bus_get_event(bus), &job->timer, CLOCK_MONOTONIC,
                        limit_usec, USEC_PER_MSEC, on_time, job);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(job);
        return 0;
}

/* Nobody waits for the answer. */
static int on_asked(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const sd_bus_error *e = sd_bus_message_get_error(reply);

        if (e)
                log_warning("systemd does not %s: %s", (const char *)userdata, e->message);
        return 0;
}

void unit_stop(sd_bus *bus, const char *unit) {
        int r = sd_bus_call_method_async(bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "StopUnit",
                on_asked, (void *)"stop a QEMU", "ss", unit, "replace");
        if (r < 0)
                (void)log_warning_errno(r, "systemd cannot be asked to stop %s: %m", unit);
}

void unit_set_cpu_weight(sd_bus *bus, const char *unit, uint64_t weight) {
        int r = sd_bus_call_method_async(bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                "SetUnitProperties", on_asked, (void *)"set the weight of a QEMU", "sba(sv)", unit, true, 1,
                "CPUWeight", "t", weight);
        if (r < 0)
                (void)log_warning_errno(r, "systemd cannot be asked to set the weight of %s: %m", unit);
}
