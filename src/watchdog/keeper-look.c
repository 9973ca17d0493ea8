/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "common/io.h"
#include "watchdog/keeper-private.h"

/* The backend is asked this often about a machine that is well, and while something is missing. */
#define LOOK_USEC IDLE_CPU_SAMPLE_USEC
#define LOOK_MISSING_USEC (2 * USEC_PER_SEC)

static void sample_cpu(Keeper *keeper, const BackendLook *look) {
        Machine *m = &keeper->machine;

        if (idle_cpu_sample(&keeper->cpu, look->cpu_usec, machine_is_idle(m), m->requests, look->taken_usec))
                machine_condemn(m, REVERT_CPU, look->taken_usec);
}

/* Whether the machine itself names a way, or takes one away. */
static void follow_lines(Keeper *keeper, const BackendLook *look) {
        if (!look->lines.known || domain_lines_equal(&look->lines, &keeper->lines) ||
                keeper->machine.leases > 0)
                return;
        keeper->lines = look->lines;
        if (link_set_lines(keeper->link, keeper->config, &keeper->lines))
                machine_set_link(&keeper->machine, LINK_DOWN, look->taken_usec);
        pulse_set_lines(keeper->pulse, keeper->config, &keeper->lines);
        keeper->machine.has_pulse = pulse_fact(keeper->pulse, look->taken_usec) != PULSE_NONE;
}

/* It runs, and not as it did. */
static void restarted(Keeper *keeper, const BackendLook *look) {
        keeper_log(keeper, LOG_NOTICE, MESSAGE_STATE, "%s was started or reverted by somebody else.",
                keeper->config->name);
        keeper_revoke(keeper, OUTCOME_OVERTAKEN);
        link_stop(keeper->link);
        pulse_stop(keeper->pulse);
        machine_restarted(&keeper->machine, look->taken_usec);
        idle_cpu_reset(&keeper->cpu);
}

void keeper_looked(const BackendLook *look, void *userdata) {
        Keeper *keeper = userdata;
        bool up = look->run == RUN_RUNNING || look->run == RUN_SAVING;

        if (look->way == WAY_REFUSED && keeper->machine.way != WAY_REFUSED) {
                snprintf(keeper->last_error, sizeof(keeper->last_error), "%s", look->message);
                keeper_log(keeper, LOG_ERR, MESSAGE_STATE, "Looking at the domain of %s failed: %s",
                        keeper->config->name, look->message);
        }
        if (look->snapshot_seen) {
                keeper->snapshot_usec = look->snapshot_usec;
                snprintf(keeper->snapshot_made_by, sizeof(keeper->snapshot_made_by), "%s",
                        look->snapshot_made_by);
        }
        snprintf(keeper->trouble, sizeof(keeper->trouble), "%s",
                look->way == WAY_AWAY && look->message ? look->message : "");
        machine_set_way(&keeper->machine, look->way);
        keeper_stale_looked(keeper, look);
        if (up && keeper->run_id >= 0 && look->id != keeper->run_id)
                restarted(keeper, look);
        if (up)
                keeper->run_id = look->id;
        follow_lines(keeper, look);

        /* Somebody's revert is over in a moment; if it is not, the machine is off. */
        if (look->passing && !keeper->look_passing)
                keeper->look_passing = true;
        else {
                keeper->look_passing = false;
                machine_set_run(&keeper->machine, look->run, look->taken_usec);
        }
        keeper->memory_bytes = look->memory_bytes;
        if (up)
                sample_cpu(keeper, look);
        keeper_changed(keeper);
}

static uint64_t look_period(const Keeper *keeper) {
        const Machine *m = &keeper->machine;
        bool missing = m->run == RUN_MISSING || m->run == RUN_OFF || m->due != REVERT_NONE ||
                       m->way != WAY_OPEN || keeper->look_passing;

        return missing ? LOOK_MISSING_USEC : LOOK_USEC;
}

void keeper_look_soon(Keeper *keeper, uint64_t now_usec) {
        uint64_t at = usec_add(now_usec, look_period(keeper));

        /* One that is due by now is about to be seen: put off, it never would be where beats come all the
         * time. */
        if (!keeper->look_timer || (keeper->look_usec > 0 && keeper->look_usec <= at))
                return;
        keeper->look_usec = at;
        (void)sd_event_source_set_time(keeper->look_timer, at);
        (void)sd_event_source_set_enabled(keeper->look_timer, SD_EVENT_ONESHOT);
}

static int on_look_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Keeper *keeper = userdata;

        keeper->backend->verbs->look(keeper->backend);
        keeper->look_usec = 0;
        keeper_look_soon(keeper, now_monotonic());
        return 0;
}

int keeper_look_setup(Keeper *keeper, sd_event *event) {
        keeper->look_usec = now_monotonic();
        return sd_event_add_time(event, &keeper->look_timer, CLOCK_MONOTONIC, keeper->look_usec,
                USEC_PER_MSEC, on_look_time, keeper);
}
