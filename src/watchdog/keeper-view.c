/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "common/io.h"
#include "watchdog/keeper-private.h"

static const char *reason(Keeper *keeper) {
        const char *work = keeper_snapshot_words(keeper);
        if (*work)
                return work;

        const char *why = machine_state_reason(&keeper->machine),
                   *obstacle = machine_obstacle(&keeper->machine);
        if (streq(why, obstacle))
                obstacle = "";
        bool failed = machine_state(&keeper->machine) == MACHINE_FAILED;
        const char *error = failed && !*keeper->trouble ? keeper->last_error : keeper->trouble;
        bool first = !*why && !*obstacle;

        snprintf(keeper->reason, sizeof(keeper->reason), "%s%s%s%s%s", why, *why && *obstacle ? "; " : "",
                obstacle, first || !*error ? "" : "; ", error);
        return keeper->reason;
}

static const char *transport(const Keeper *keeper) {
        TransportKind kind = link_transport(keeper->link);
        return kind == TRANSPORT_AUTO ? "" : transport_kind_to_string(kind);
}

uint64_t keeper_beat_age(const Keeper *keeper) {
        uint64_t beat = pulse_heartbeat(keeper->pulse)->beat_usec;
        return beat > 0 ? now_monotonic() - beat : USEC_INFINITY;
}

void keeper_count(Keeper *keeper, uint64_t now_usec) {
        uint64_t requests = 0;

        for (size_t i = 0; i < _OUTCOME_MAX; i++)
                requests += keeper->machine.ended[i];
        const uint64_t totals[_HOUR_COUNT_MAX] = {
                [HOUR_BEATS] = pulse_heartbeat(keeper->pulse)->beats,
                [HOUR_REQUESTS] = requests,
                [HOUR_REVERTS] = keeper->machine.reverts,
        };

        for (size_t i = 0; i < _HOUR_COUNT_MAX; i++) {
                if (totals[i] == keeper->counted[i])
                        continue;
                hour_add(&keeper->hour, (HourCount)i, totals[i] - keeper->counted[i], now_usec);
                keeper->counted[i] = totals[i];
        }
}

static SavedMachine record(const Keeper *keeper) {
        const Machine *m = &keeper->machine;

        return (SavedMachine){
                .name = keeper->config->name,
                .generation = m->generation,
                .guest = keeper_guest(keeper),
                .drained = m->drained,
                .due = machine_owed(m),
                .failures = m->failures,
                .retry_usec = m->retry_usec,
                .born_usec = m->born_usec,
                .served = m->served,
                .place = keeper->place,
                .hour = keeper->hour,
        };
}

static BackendStock stock(const Keeper *keeper) {
        const Backend *backend = keeper->backend;

        return backend && backend->verbs->stock ? backend->verbs->stock(backend) : (BackendStock){};
}

MachineView keeper_view(Keeper *keeper) {
        const Machine *m = &keeper->machine;
        BackendStock spares = stock(keeper);

        return (MachineView){
                .name = keeper->config->name,
                .domain = keeper->config->domain ? keeper->config->domain : "",
                .policy = revert_policy_to_string(keeper->config->policy),
                .state = machine_state(m),
                .state_name = machine_state_to_string(machine_state(m)),
                .reason = reason(keeper),
                .drained = m->drained,
                .generation = m->generation,
                .guest = guest_kind_to_string(keeper_guest(keeper)),
                .transport = transport(keeper),
                .queue = (uint32_t)keeper->waiting,
                .leases = m->leases,
                .requests = m->requests,
                .reverts = m->reverts,
                .revert_failures = m->revert_failures,
                .reverts_by = m->reverts_by,
                .ended = m->ended,
                .hour = &keeper->hour,
                .last_revert_usec = keeper->last_revert_usec,
                .last_revert_reason = revert_reason_to_string(m->last_reason),
                .snapshot_usec = keeper->snapshot_usec,
                .snapshot_made_by = keeper->snapshot_made_by,
                .spares = spares.ready,
                .spare_failures = spares.failures,
                .last_beat = pulse_heartbeat(keeper->pulse)->last,
                .heartbeat_age_usec = keeper_beat_age(keeper),
                .cpu_usage = keeper->cpu.usage,
                .saved = record(keeper),
        };
}
