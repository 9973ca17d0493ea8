/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/machine-signals.h"

#include <stdio.h>

#include "common/io.h"
#include "common/log.h"
#include "common/vm1.h"
#include "watchdog/manager.h"

#define PROPERTIES_USEC (100 * USEC_PER_MSEC)

static int on_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        signals_send(userdata);
        return 0;
}

int signals_setup(Keeper *keeper, sd_event *event) {
        int r = sd_event_add_time(
                event, &keeper->tell_timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_time, keeper);
        return r < 0 ? r : sd_event_source_set_enabled(keeper->tell_timer, SD_EVENT_OFF);
}

/* Every request makes it busy and ready again: that is no news for the log. */
static bool is_usual(MachineState state) {
        return state == MACHINE_READY || state == MACHINE_BUSY;
}

static void tell_state(Keeper *keeper, MachineState state, const char *reason) {
        MachineState before = keeper->told.state;
        const char *name = keeper->config->name, *is = machine_state_to_string(state),
                   *was = before < _MACHINE_STATE_MAX ? machine_state_to_string(before) : "";
        char field[128];

        snprintf(field, sizeof(field), "PBOTVM_MACHINE=%s", name);
        (void)log_write(is_usual(state) && is_usual(before) ? LOG_DEBUG : LOG_NOTICE, 0, MESSAGE_STATE,
                (const char *[]){ field, NULL }, "%s is %s%s%s.", name, is, *reason ? ": " : "", reason);
        (void)sd_bus_emit_signal(
                keeper->manager->bus, keeper->path, VM1_MACHINE, "StateChanged", "sss", was, is, reason);
}

/* The properties that are numbers, or stand for one. */
static size_t read_numbers(const Keeper *keeper, const char *names[static 9], uint64_t values[static 9]) {
        const Machine *m = &keeper->machine;
        const struct {
                const char *name;
                uint64_t value;
        } table[] = {
                { "State", machine_state(m) },
                { "Generation", m->generation },
                { "Queue", queue_count(&keeper->manager->queue, keeper->config->name) },
                { "Leases", m->leases },
                { "Requests", m->requests },
                { "Reverts", m->reverts },
                { "RevertFailures", m->revert_failures },
                { "LastRevertUSec", keeper->last_revert_usec },
                { "LastRevertReason", m->last_reason },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                names[i] = table[i].name;
                values[i] = table[i].value;
        }
        return ELEMENTSOF(table);
}

static void tell_properties(Keeper *keeper, const char *reason) {
        Told *told = &keeper->told;
        const char *names[9], *changed[13];
        uint64_t values[9];
        size_t n = 0, n_numbers = read_numbers(keeper, names, values);

        for (size_t i = 0; i < n_numbers; i++)
                if (told->numbers[i] != values[i])
                        changed[n++] = names[i];
        memcpy(told->numbers, values, sizeof(values));
        if (!streq(told->reason, reason))
                changed[n++] = "StateReason";
        snprintf(told->reason, sizeof(told->reason), "%s", reason);
        if (told->transport != link_transport(keeper->link))
                changed[n++] = "Transport";
        told->transport = link_transport(keeper->link);
        if (told->guest != keeper_guest(keeper))
                changed[n++] = "Guest";
        told->guest = keeper_guest(keeper);
        changed[n] = NULL;

        /* Of a machine that replaces one with other settings all may be new: its counters begin again. */
        if (n > 0 || told->properties_usec == 0)
                (void)sd_bus_emit_properties_changed_strv(keeper->manager->bus, keeper->path, VM1_MACHINE,
                        told->properties_usec == 0 ? NULL : (char **)changed);
}

void signals_send(Keeper *keeper) {
        MachineState state = machine_state(&keeper->machine), before = keeper->told.state;
        const char *reason = keeper_reason(keeper);
        uint64_t now = now_monotonic(), next = usec_add(keeper->told.properties_usec, PROPERTIES_USEC);

        if (keeper->retired)
                return;
        if (state != before) {
                tell_state(keeper, state, reason);
                keeper->told.state = state;
        }

        bool urgent = state != before && !(is_usual(state) && is_usual(before));
        if (now < next && !urgent) {
                (void)sd_event_source_set_time(keeper->tell_timer, next);
                (void)sd_event_source_set_enabled(keeper->tell_timer, SD_EVENT_ONESHOT);
                return;
        }
        tell_properties(keeper, reason);
        keeper->told.properties_usec = now;
}
