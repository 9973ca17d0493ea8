/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "health.h"

#include "common/io.h"
#include "common/log.h"
#include "job-limits.h"

/* A host calls a guest lost 3 s after its last beat; together with these it takes some 12 s for a guest that
 * runs but cannot run jobs. Shorter would cost an idle guest under emulation too much of its CPU, and a
 * guest that is only busy must not pass for sick. */
#define CHECK_EVERY_USEC (4 * USEC_PER_SEC)
#define CHECK_LIMIT_USEC (4 * USEC_PER_SEC)
#define GOOD_FOR_USEC (9 * USEC_PER_SEC)

struct Health {
        JobContext *context;
        void (*changed)(bool healthy, void *userdata);
        void *userdata;
        Job *job;
        Plan plan;
        uint64_t good_until_usec;
        bool condemned, told_any, told;
        sd_event_source *timer;
};

/* Any program would do; this one is in every guest and does the least. */
static char *check_argv[] = { (char *)"true", NULL };

static void tell(Health *health) {
        bool good = health_good(health);

        if (health->told_any && health->told == good)
                return;
        health->told_any = true;
        health->told = good;
        health->changed(good, health->userdata);
}

static void check_again(Health *health, uint64_t usec) {
        (void)sd_event_source_set_time_relative(health->timer, usec);
        (void)sd_event_source_set_enabled(health->timer, SD_EVENT_ONESHOT);
}

static void on_done(_unused_ Job *job, JobResult *result, void *userdata) {
        Health *health = userdata;
        const StepOutcome *step = &result->outcome.steps[0];

        if (result->stuck)
                health->condemned = true;
        if (step->ended && step->status == 0)
                health->good_until_usec = now_monotonic() + GOOD_FOR_USEC;
        else if (result->broken_errno > 0)
                log_warning_errno(-result->broken_errno, "The self-check found no sandbox (%s): %m",
                        result->broken_where);
        else
                log_warning(
                        "The self-check failed%s.", result->outcome.timed_out ? ": it took too long" : "");
        job_result_done(result);
        health->job = job_free(health->job);
        tell(health);
        check_again(health, health_good(health) ? CHECK_EVERY_USEC : USEC_PER_SEC);
}

static int on_timer(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        Health *health = userdata;
        JobSpec spec = {
                .plan = &health->plan,
                .source_name = "check",
                .limits = limits_default(limits_total_memory()),
                .deadline_usec = now_monotonic() + CHECK_LIMIT_USEC,
                .bind_fd = -EBADF,
                .own = true,
        };

        int r = job_start(health->context, &spec, on_done, health, &health->job);
        if (r < 0) {
                log_warning_errno(r, "The self-check could not be started: %m");
                tell(health);
                check_again(health, USEC_PER_SEC);
        }
        return 0;
}

int health_new(
        JobContext *context, void (*changed)(bool healthy, void *userdata), void *userdata, Health **ret) {
        _cleanup_(health_freep) Health *health = calloc(1, sizeof(Health));
        if (!health)
                return -ENOMEM;

        *health = (Health){
                .context = context,
                .changed = changed,
                .userdata = userdata,
                .plan = { .steps = { { .argv = check_argv, .stdin_file = true } }, .n_steps = 1 },
        };
        int r = sd_event_add_time_relative(
                context->event, &health->timer, CLOCK_MONOTONIC, 0, 50 * USEC_PER_MSEC, on_timer, health);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(health);
        return 0;
}

Health *health_free(Health *health) {
        if (!health)
                return NULL;
        sd_event_source_disable_unref(health->timer);
        job_free(health->job);
        free(health);
        return NULL;
}

bool health_good(const Health *health) {
        return !health->condemned && now_monotonic() < health->good_until_usec;
}

void health_condemn(Health *health) {
        health->condemned = true;
}
