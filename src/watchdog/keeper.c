/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/keeper.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/io.h"
#include "common/log.h"
#include "common/vm1.h"
#include "watchdog/crash.h"
#include "watchdog/lease.h"
#include "watchdog/machine-signals.h"
#include "watchdog/manager.h"

/* libvirt is asked this often about a machine that is well, and while something is missing. */
#define LOOK_USEC IDLE_CPU_SAMPLE_USEC
#define LOOK_MISSING_USEC (2 * USEC_PER_SEC)
/* A reset that cannot be recorded is tried again so much later. */
#define SAVE_RETRY_USEC (1 * USEC_PER_SEC)
/* An agent may serve several leases at once, over vsock or in the lanes of a channel. */
#define SLOTS_DEFAULT 4

/* A message about this machine, with its name as a field. */
#define keeper_log(keeper, priority, id, ...)                                                               \
        ({                                                                                                  \
                char _field[128];                                                                           \
                snprintf(_field, sizeof(_field), "PBOTVM_MACHINE=%s", (keeper)->config->name);              \
                (void)log_write(priority, 0, id, (const char *[]){ _field, NULL }, __VA_ARGS__);            \
        })

/* ---- facts come in ---- */

static void on_link_fact(Link *link _unused_, LinkFact fact, void *userdata) {
        Keeper *keeper = userdata;

        machine_set_link(&keeper->machine, fact, now_monotonic());
        manager_changed(keeper->manager, keeper);
}

static void on_link_unasked(Link *link _unused_, void *userdata) {
        machine_doubt(&((Keeper *)userdata)->machine);
}

static void on_link_flooded(Link *link _unused_, void *userdata) {
        Keeper *keeper = userdata;

        keeper_log(keeper, LOG_WARNING, MESSAGE_PROTOCOL, "%s: the guest talks without being asked.",
                keeper->config->name);
        machine_condemn(&keeper->machine, REVERT_PROTOCOL, now_monotonic());
        manager_changed(keeper->manager, keeper);
}

static void on_pulse(Pulse *pulse, void *userdata) {
        Keeper *keeper = userdata;
        uint64_t now = now_monotonic();
        PulseFact fact = pulse_fact(pulse, now);

        /* Most beats are no news. */
        bool restarted = pulse_take_restarted(pulse);
        if (fact == PULSE_BEATING && keeper->machine.pulse == PULSE_BEATING &&
                keeper->machine.due == REVERT_NONE && keeper->guest == keeper_guest(keeper) && !restarted)
                return;
        keeper->guest = keeper_guest(keeper);

        if (fact == PULSE_LOST && keeper->machine.pulse == PULSE_BEATING)
                keeper_log(keeper, LOG_WARNING, MESSAGE_HEARTBEAT_LOST, "%s: the heartbeat stopped.",
                        keeper->config->name);
        machine_set_pulse(&keeper->machine, fact, now);
        if (restarted) {
                keeper_log(keeper, LOG_WARNING, MESSAGE_HEARTBEAT_LOST, "%s: its agent was started again.",
                        keeper->config->name);
                machine_condemn(&keeper->machine, REVERT_RESTARTED, now);
        }
        manager_changed(keeper->manager, keeper);
}

static unsigned slots(const Keeper *keeper) {
        if (!link_is_wide(keeper->link))
                return 1;
        if (keeper->config->slots > 0)
                return keeper->config->slots;
        GuestKind guest = keeper_guest(keeper);
        /* PBot's agent of 2023 kills all other jobs at each start. */
        return guest == GUEST_PBOTVM || guest == GUEST_PBOT_2026 ? SLOTS_DEFAULT : 1;
}

static void sample_cpu(Keeper *keeper, const DomainLook *look) {
        Machine *m = &keeper->machine;

        if (idle_cpu_sample(&keeper->cpu, look->cpu_usec, machine_state(m) == MACHINE_READY, m->requests,
                    look->taken_usec))
                machine_condemn(m, REVERT_CPU, look->taken_usec);
}

/* Whether the domain itself names a way, or takes one away. */
static void follow_lines(Keeper *keeper, const DomainLook *look) {
        if (!look->lines.known || domain_lines_equal(&look->lines, &keeper->lines) ||
                keeper->machine.leases > 0)
                return;
        keeper->lines = look->lines;
        if (link_set_lines(keeper->link, keeper->config, &keeper->lines))
                machine_set_link(&keeper->machine, LINK_DOWN, look->taken_usec);
        pulse_set_lines(keeper->pulse, keeper->config, &keeper->lines);
        keeper->machine.has_pulse = pulse_fact(keeper->pulse, look->taken_usec) != PULSE_NONE;
}

static void on_looked(Domain *domain _unused_, const DomainLook *look, void *userdata) {
        Keeper *keeper = userdata;
        bool up = look->fact == DOMAIN_RUNNING || look->fact == DOMAIN_SAVING;

        if (look->way == WAY_REFUSED && keeper->machine.way != WAY_REFUSED) {
                snprintf(keeper->last_error, sizeof(keeper->last_error), "%s", look->message);
                keeper_log(keeper, LOG_ERR, MESSAGE_STATE, "Looking at the domain of %s failed: %s",
                        keeper->config->name, look->message);
        }
        machine_set_way(&keeper->machine, look->way);
        if (up && keeper->domain_id >= 0 && look->id != keeper->domain_id) {
                keeper_log(keeper, LOG_NOTICE, MESSAGE_STATE, "%s was started or reverted by somebody else.",
                        keeper->config->name);
                lease_revoke(keeper, OUTCOME_OVERTAKEN);
                link_stop(keeper->link);
                pulse_stop(keeper->pulse);
                machine_restarted(&keeper->machine, look->taken_usec);
                idle_cpu_reset(&keeper->cpu);
        }
        if (up)
                keeper->domain_id = look->id;
        follow_lines(keeper, look);

        /* Somebody's revert is over in a moment; if it is not, the domain is off. */
        if (look->passing && !keeper->look_passing)
                keeper->look_passing = true;
        else {
                keeper->look_passing = false;
                machine_set_domain(&keeper->machine, look->fact, look->taken_usec);
        }
        if (up)
                sample_cpu(keeper, look);
        manager_changed(keeper->manager, keeper);
}

static void on_crashed(Domain *domain _unused_, void *userdata) {
        Keeper *keeper = userdata;

        machine_condemn(&keeper->machine, REVERT_CRASHED, now_monotonic());
        manager_changed(keeper->manager, keeper);
}

/* By hand, or because it panicked. It would come back in the time of a lost beat, cold and with its files
 * changed. */
static void on_rebooted(Domain *domain _unused_, void *userdata) {
        Keeper *keeper = userdata;

        machine_condemn(&keeper->machine, REVERT_REBOOTED, now_monotonic());
        manager_changed(keeper->manager, keeper);
}

static uint64_t look_period(const Keeper *keeper) {
        const Machine *m = &keeper->machine;
        bool missing = m->domain == DOMAIN_MISSING || m->domain == DOMAIN_OFF || m->due != REVERT_NONE ||
                       m->way != WAY_OPEN || keeper->look_passing;

        return missing ? LOOK_MISSING_USEC : LOOK_USEC;
}

/* Looks again after the period that fits what is known now, or sooner if that was set already. */
static void set_look_timer(Keeper *keeper, uint64_t now) {
        uint64_t at = usec_add(now, look_period(keeper));

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

        domain_look(keeper->domain);
        keeper->look_usec = 0;
        set_look_timer(keeper, now_monotonic());
        return 0;
}

/* ---- resets ---- */

/* error: NULL when it is done, or the name of the error; then why. */
static void answer_reverts(Keeper *keeper, const char *error, const char *why) {
        for (size_t i = 0; i < keeper->n_revert_calls; i++) {
                if (!error)
                        (void)sd_bus_reply_method_return(keeper->revert_calls[i], NULL);
                else
                        (void)sd_bus_reply_method_errorf(keeper->revert_calls[i], error,
                                "Reverting %s failed: %s", keeper->config->name, why);
                sd_bus_message_unref(keeper->revert_calls[i]);
        }
        keeper->n_revert_calls = 0;
}

void keeper_sender_gone(Keeper *keeper, const char *sender) {
        size_t n = 0;

        for (size_t i = 0; i < keeper->n_revert_calls; i++)
                if (streq(sd_bus_message_get_sender(keeper->revert_calls[i]), sender))
                        sd_bus_message_unref(keeper->revert_calls[i]);
                else
                        keeper->revert_calls[n++] = keeper->revert_calls[i];
        keeper->n_revert_calls = n;
}

/* What is in the way (libvirt, the domain, its snapshot) may be for long: whoever waits is told so at once,
 * and the revert happens when it can. */
static void answer_obstacle(Keeper *keeper) {
        const char *obstacle = machine_obstacle(&keeper->machine);
        char why[200];

        if (keeper->n_revert_calls == 0 || !*obstacle)
                return;
        snprintf(why, sizeof(why), "%s; it happens as soon as it can", obstacle);
        answer_reverts(keeper, SD_BUS_ERROR_FAILED, why);
}

static void reset_ended(Keeper *keeper, ResetResult result, const char *message) {
        Machine *m = &keeper->machine;
        uint64_t now = now_monotonic();
        double took = (double)(now - keeper->reset_begun_usec) / USEC_PER_SEC;

        crash_point(keeper->manager, "after-revert");
        snprintf(keeper->last_error, sizeof(keeper->last_error), "%s", message);
        if (result == RESET_DONE && machine_reverts(m))
                keeper->last_revert_usec = now_realtime();
        if (result == RESET_DONE && machine_reverts(m))
                keeper_log(keeper, LOG_NOTICE, MESSAGE_REVERT,
                        "%s is reverted after %.2f s, generation %" PRIu64 ".", keeper->config->name, took,
                        m->generation);
        else if (result != RESET_DONE)
                keeper_log(keeper, LOG_ERR, MESSAGE_REVERT_FAILED, "Reverting %s failed after %.2f s: %s",
                        keeper->config->name, took, message);

        machine_reset_end(m, result, now);
        machine_set_pulse(m, pulse_fact(keeper->pulse, now), now);
        keeper->domain_id = -1;
        idle_cpu_reset(&keeper->cpu);
        if (keeper->domain)
                domain_look(keeper->domain);
        /* What made it impossible is found out by a look. */
        if (m->due == REVERT_NONE || result != RESET_IMPOSSIBLE)
                answer_reverts(
                        keeper, result == RESET_DONE ? NULL : SD_BUS_ERROR_FAILED, keeper->last_error);
        manager_changed(keeper->manager, keeper);
}

static void on_reverted(Domain *domain _unused_, ResetResult result, const char *message, void *userdata) {
        reset_ended(userdata, result, message);
}

static void reset(Keeper *keeper) {
        Machine *m = &keeper->machine;

        /* A watchdog that dies in the middle has to know why it was begun. */
        int r = manager_save(keeper->manager);
        if (r < 0) {
                machine_postpone(m, usec_add(now_monotonic(), SAVE_RETRY_USEC));
                answer_reverts(keeper, VM1_ERROR_BUSY, "the state of the machines cannot be saved");
                return;
        }

        keeper_log(keeper, LOG_NOTICE, MESSAGE_REVERT, "%s %s: %s.",
                machine_reverts(m) ? "Reverting" : "Connecting anew to", keeper->config->name,
                revert_reason_to_string(m->due));
        crash_point(keeper->manager, "before-revert");

        link_stop(keeper->link);
        /* Where the guest goes on running, so does a heartbeat that is there. */
        if (machine_reverts(m) || m->pulse != PULSE_BEATING)
                pulse_stop(keeper->pulse);
        machine_reset_begin(m, now_realtime() / USEC_PER_SEC);
        keeper->reset_begun_usec = now_monotonic();
        (void)manager_save(keeper->manager);
        signals_send(keeper);

        if (!machine_reverts(m)) {
                reset_ended(keeper, RESET_DONE, "");
                return;
        }
        r = domain_revert(keeper->domain);
        if (r < 0)
                reset_ended(keeper, RESET_FAILED, strerror(-r));
        else
                crash_point(keeper->manager, "during-revert");
}

int keeper_revert(Keeper *keeper, RevertReason reason, sd_bus_message *call) {
        if (call && keeper->n_revert_calls == KEEPER_CALLS_MAX)
                return -EBUSY;
        if (call)
                keeper->revert_calls[keeper->n_revert_calls++] = sd_bus_message_ref(call);
        machine_condemn(&keeper->machine, reason, now_monotonic());
        manager_changed(keeper->manager, keeper);
        return 0;
}

/* ---- snapshots ---- */

static void on_snapshot_taken(Domain *domain _unused_, int result, const char *message, void *userdata) {
        Keeper *keeper = userdata;

        machine_unhold(&keeper->machine, now_monotonic());
        if (result < 0) {
                keeper_log(keeper, LOG_ERR, NULL, "Taking a snapshot of %s failed: %s", keeper->config->name,
                        message);
                (void)sd_bus_reply_method_errorf(keeper->snapshot_call, SD_BUS_ERROR_FAILED,
                        "Taking a snapshot of %s failed: %s", keeper->config->name, message);
        } else {
                keeper_log(keeper, LOG_NOTICE, NULL, "Took snapshot '%s' of %s.", keeper->config->snapshot,
                        keeper->config->name);
                (void)sd_bus_reply_method_return(keeper->snapshot_call, NULL);
        }
        keeper->snapshot_call = sd_bus_message_unref(keeper->snapshot_call);
        domain_look(keeper->domain);
        manager_changed(keeper->manager, keeper);
}

int keeper_snapshot(Keeper *keeper, sd_bus_message *call) {
        Machine *m = &keeper->machine;
        if (!keeper->domain)
                return -EOPNOTSUPP;

        if (!machine_can_snapshot(m))
                return -EBUSY;
        int r = domain_snapshot(keeper->domain);
        if (r < 0)
                return r;

        machine_hold(m);
        keeper->snapshot_call = sd_bus_message_ref(call);
        return 0;
}

int keeper_drain(Keeper *keeper, bool drain) {
        bool before = keeper->machine.drained;

        keeper->machine.drained = drain;
        int r = manager_save(keeper->manager);
        if (r < 0) {
                keeper->machine.drained = before;
                return r;
        }
        keeper_log(keeper, LOG_NOTICE, MESSAGE_STATE, "%s is %s by an operator.", keeper->config->name,
                drain ? "drained" : "put back to work");
        manager_changed(keeper->manager, keeper);
        return 0;
}

/* ---- what follows ---- */

/* PBot's agent of 2023 takes another framing, so it has to be known who is there before a word is said. */
static bool may_talk(const Keeper *keeper) {
        return keeper_guest(keeper) != GUEST_UNKNOWN || keeper->machine.pulse == PULSE_NONE;
}

static void connect_guest(Keeper *keeper) {
        if (keeper->machine.resetting || keeper->machine.domain == DOMAIN_OFF ||
                keeper->machine.domain == DOMAIN_MISSING)
                return;
        pulse_start(keeper->pulse);
        if (may_talk(keeper))
                link_start(keeper->link,
                        keeper_guest(keeper) == GUEST_PBOT_2023 ? FRAMING_END_MARKER : FRAMING_CHUNKS);
}

static void set_timer(Keeper *keeper, uint64_t now) {
        uint64_t deadline = machine_deadline(&keeper->machine);

        /* What was due before now has been done, or is not to be done. */
        if (deadline == USEC_INFINITY || deadline <= now) {
                (void)sd_event_source_set_enabled(keeper->timer, SD_EVENT_OFF);
                return;
        }
        (void)sd_event_source_set_time(keeper->timer, deadline);
        (void)sd_event_source_set_enabled(keeper->timer, SD_EVENT_ONESHOT);
}

/* Has what others know of it told where it is not as it was. True if its status is another one. */
static bool tell(Keeper *keeper) {
        const char *transport = keeper_transport(keeper), *reason = keeper_reason(keeper),
                   *why = *reason ? reason : transport;
        SavedMachine record = keeper_record(keeper);
        char status[sizeof(keeper->status)];

        if (!saved_machine_equal(&record, &keeper->record))
                manager_unsaved(keeper->manager);
        keeper->record = record;
        signals_send(keeper);
        snprintf(status, sizeof(status), "%s %s%s%s%s", keeper->config->name,
                machine_state_to_string(keeper_state(keeper)), *why ? " (" : "", why, *why ? ")" : "");
        if (streq(status, keeper->status))
                return false;
        memcpy(keeper->status, status, sizeof(status));
        return true;
}

bool keeper_update(Keeper *keeper) {
        Machine *m = &keeper->machine;
        uint64_t now = now_monotonic();
        MachineStep step;

        m->slots = slots(keeper);
        machine_tick(m, now);
        while ((step = machine_step(m, now)) != MACHINE_STEP_NONE)
                if (step == MACHINE_STEP_REVOKE)
                        lease_revoke(keeper, OUTCOME_ABANDONED);
                else
                        reset(keeper);

        answer_obstacle(keeper);
        connect_guest(keeper);
        /* After a job that failed alone, the guest proves itself, whether or not somebody waits. */
        if (m->link == LINK_PROVEN && m->proven_usec == 0 && m->due == REVERT_NONE)
                link_probe(keeper->link);
        set_timer(keeper, now);
        set_look_timer(keeper, now);
        return tell(keeper);
}

void keeper_prove(Keeper *keeper) {
        link_probe(keeper->link);
}

static int on_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Keeper *keeper = userdata;

        manager_changed(keeper->manager, keeper);
        return 0;
}

/* ---- what is seen of it ---- */

MachineState keeper_state(const Keeper *keeper) {
        return machine_state(&keeper->machine);
}

const char *keeper_status(const Keeper *keeper) {
        return keeper->status;
}

SavedMachine keeper_record(const Keeper *keeper) {
        return (SavedMachine){
                .name = keeper->config->name,
                .generation = keeper->machine.generation,
                .guest = keeper_guest(keeper),
                .drained = keeper->machine.drained,
                .due = machine_owed(&keeper->machine),
                .failures = keeper->machine.failures,
                .retry_usec = keeper->machine.retry_usec,
                .born_usec = keeper->machine.born_usec,
                .served = keeper->machine.served,
        };
}

const char *keeper_reason(Keeper *keeper) {
        const char *why = machine_state_reason(&keeper->machine),
                   *obstacle = machine_obstacle(&keeper->machine);
        if (streq(why, obstacle))
                obstacle = "";
        bool failed = machine_state(&keeper->machine) == MACHINE_FAILED && *keeper->last_error;

        snprintf(keeper->reason, sizeof(keeper->reason), "%s%s%s%s%s", why, *why && *obstacle ? "; " : "",
                obstacle, failed ? "; " : "", failed ? keeper->last_error : "");
        return keeper->reason;
}

GuestKind keeper_guest(const Keeper *keeper) {
        return pulse_heartbeat(keeper->pulse)->kind;
}

const char *keeper_transport(const Keeper *keeper) {
        TransportKind kind = link_transport(keeper->link);
        return kind == TRANSPORT_AUTO ? "" : transport_kind_to_string(kind);
}

/* ---- beginning and end ---- */

static int add_timers(Keeper *keeper, sd_event *event) {
        int r = sd_event_add_time(event, &keeper->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_time, keeper);
        if (r >= 0)
                r = signals_setup(keeper, event);
        if (r < 0 || !keeper->domain)
                return r;
        keeper->look_usec = now_monotonic();
        return sd_event_add_time(event, &keeper->look_timer, CLOCK_MONOTONIC, keeper->look_usec,
                USEC_PER_MSEC, on_look_time, keeper);
}

static int add_domain(Keeper *keeper, Hypervisor *hypervisor) {
        DomainHooks hooks = {
                .looked = on_looked,
                .crashed = on_crashed,
                .rebooted = on_rebooted,
                .reverted = on_reverted,
                .snapshot_taken = on_snapshot_taken,
                .userdata = keeper,
        };
        return domain_new(
                hypervisor, keeper->config->domain, keeper->config->snapshot, hooks, &keeper->domain);
}

int keeper_new(Manager *manager, const MachineConfig *config, Hypervisor *hypervisor, uint64_t generation,
        Keeper **ret) {
        sd_event *event = manager_event(manager);
        _cleanup_(keeper_freep) Keeper *keeper = calloc(1, sizeof(*keeper));
        if (!keeper)
                return -ENOMEM;

        keeper->manager = manager;
        keeper->domain_id = -1;
        keeper->told.state = _MACHINE_STATE_MAX;
        keeper->config = settings_copy(config);
        if (!keeper->config)
                return -ENOMEM;
        machine_init(&keeper->machine, keeper->config, generation, now_monotonic());
        if (!transport_addr_is_usable(keeper->config))
                keeper_log(keeper, LOG_ERR, MESSAGE_CONFIG,
                        "machines.%s.addr: expected a numeric address or \"localhost\", found \"%s\": its "
                        "serial "
                        "lines cannot be used.",
                        keeper->config->name, keeper->config->addr);

        LinkHooks hooks = {
                .fact = on_link_fact,
                .unasked = on_link_unasked,
                .flooded = on_link_flooded,
                .userdata = keeper,
        };
        int r = sd_bus_path_encode(VM1_MACHINES, config->name, &keeper->path);
        if (r >= 0)
                r = link_new(event, keeper->config, hooks, &keeper->link);
        if (r >= 0)
                r = pulse_new(event, keeper->config, on_pulse, keeper, &keeper->pulse);
        if (r >= 0 && hypervisor)
                r = add_domain(keeper, hypervisor);
        if (r >= 0)
                r = add_timers(keeper, event);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(keeper);
        return 0;
}

Keeper *keeper_free(Keeper *keeper) {
        if (!keeper)
                return NULL;
        answer_reverts(keeper, SD_BUS_ERROR_FAILED, "the watchdog ends, or has other settings for it");
        manager_forget(keeper->manager, keeper);
        sd_bus_message_unref(keeper->snapshot_call);
        sd_event_source_disable_unref(keeper->timer);
        sd_event_source_disable_unref(keeper->look_timer);
        sd_event_source_disable_unref(keeper->tell_timer);
        domain_free(keeper->domain);
        pulse_free(keeper->pulse);
        link_free(keeper->link);
        free(keeper->path);
        settings_free(keeper->config);
        free(keeper);
        return NULL;
}
