/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/keeper.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/io.h"
#include "common/vm1.h"
#include "watchdog/crash.h"
#include "watchdog/keeper-private.h"

/* A reset that cannot be recorded is tried again so much later. */
#define SAVE_RETRY_USEC (1 * USEC_PER_SEC)
/* An agent may serve several leases at once, over vsock or in the lanes of a channel. */
#define SLOTS_DEFAULT 4

/* ---- facts come in ---- */

static void condemn(Keeper *keeper, RevertReason reason) {
        machine_condemn(&keeper->machine, reason, now_monotonic());
        keeper_changed(keeper);
}

static void on_link_fact(Link *link _unused_, LinkFact fact, void *userdata) {
        Keeper *keeper = userdata;

        machine_set_link(&keeper->machine, fact, now_monotonic());
        keeper_changed(keeper);
}

static void on_link_unasked(Link *link _unused_, void *userdata) {
        machine_doubt(&((Keeper *)userdata)->machine);
}

static void on_link_misbehaved(Link *link _unused_, const char *how, void *userdata) {
        Keeper *keeper = userdata;

        keeper_log(keeper, LOG_WARNING, MESSAGE_PROTOCOL, "%s: the guest broke the protocol: %s.",
                keeper->config->name, how);
        condemn(keeper, REVERT_PROTOCOL);
}

static void on_pulse(Pulse *pulse, void *userdata) {
        Keeper *keeper = userdata;
        uint64_t now = now_monotonic();
        PulseFact fact = pulse_fact(pulse, now);

        keeper_count(keeper, now);
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
        keeper_changed(keeper);
}

static void on_crashed(void *userdata) {
        condemn(userdata, REVERT_CRASHED);
}

/* By hand, or because it panicked. It would come back in the time of a lost beat, cold and with its files
 * changed. */
static void on_rebooted(void *userdata) {
        Keeper *keeper = userdata;

        /* QEMU resets a machine that it has just started, too. */
        if (!keeper_stale_is_booting(keeper))
                condemn(keeper, REVERT_REBOOTED);
}

static unsigned slots(const Keeper *keeper) {
        /* Where each request has a guest of its own nobody shares it. */
        if (!link_is_wide(keeper->link) || keeper->config->policy == POLICY_ALWAYS)
                return 1;
        if (keeper->config->slots > 0)
                return keeper->config->slots;
        GuestKind guest = keeper_guest(keeper);
        /* PBot's agent of 2023 kills all other jobs at each start. */
        return guest == GUEST_PBOTVM || guest == GUEST_PBOT_2026 ? SLOTS_DEFAULT : 1;
}

static void look(Keeper *keeper) {
        if (keeper->backend)
                keeper->backend->verbs->look(keeper->backend);
}

/* ---- resets ---- */

/* error: NULL when it is done, or the name of the error; then why. */
static void answer_reverts(Keeper *keeper, const char *error, const char *why) {
        char text[512];

        if (keeper->revert_calls.n == 0)
                return;
        snprintf(text, sizeof(text), "Reverting %s failed: %s", keeper->config->name, why);
        pending_calls_answer(&keeper->revert_calls, error, text);
}

/* What is in the way (libvirt, the domain, its snapshot) may be for long: whoever waits is told so at once,
 * and the revert happens when it can. */
static void answer_obstacle(Keeper *keeper) {
        const char *obstacle = machine_obstacle(&keeper->machine);
        char why[200];

        if (keeper->revert_calls.n == 0 || !*obstacle)
                return;
        snprintf(why, sizeof(why), "%s; it happens as soon as it can", obstacle);
        answer_reverts(keeper, SD_BUS_ERROR_FAILED, why);
}

/* Finds the guest where its backend says that it is. The descriptor is the callee's. */
static BackendGuest follow_guest(Keeper *keeper) {
        BackendGuest guest = { .channel = -EBADF };

        if (!keeper->backend || !keeper->backend->verbs->guest)
                return guest;
        keeper->backend->verbs->guest(keeper->backend, &guest);
        keeper->place = guest.place;
        keeper->lines.data = guest.data;
        keeper->lines.heart = guest.heart;
        (void)link_set_lines(keeper->link, keeper->config, &keeper->lines);
        pulse_set_lines(keeper->pulse, keeper->config, &keeper->lines);
        return guest;
}

static Framing framing(const Keeper *keeper) {
        return keeper_guest(keeper) == GUEST_PBOT_2023 ? FRAMING_END_MARKER : FRAMING_CHUNKS;
}

/* Its agent has answered whoever had it ahead. */
static void adopt(Keeper *keeper, const BackendGuest *guest) {
        link_adopt(keeper->link, framing(keeper), guest->channel, guest->lanes);
        if (!guest->fresh)
                machine_disprove(&keeper->machine);
}

static void on_reset_ended(ResetResult result, const char *message, void *userdata) {
        Keeper *keeper = userdata;
        Machine *m = &keeper->machine;
        uint64_t now = now_monotonic();
        double took = (double)(now - keeper->reset_begun_usec) / USEC_PER_SEC;
        bool booted = keeper_stale_boots(keeper);

        crash_point("after-revert");
        snprintf(keeper->last_error, sizeof(keeper->last_error), "%s", message);
        if (result == RESET_DONE && machine_reverts(m)) {
                keeper->last_revert_usec = now_realtime();
                keeper_log(keeper, LOG_NOTICE, MESSAGE_REVERTED,
                        "%s is %s after %.2f s, generation %" PRIu64 ".", keeper->config->name,
                        booted ? "booted cold" : "reverted", took, m->generation);
        } else if (result != RESET_DONE)
                keeper_log(keeper, LOG_ERR, MESSAGE_REVERT_FAILED, "%s %s failed after %.2f s: %s",
                        booted ? "Booting" : "Reverting", keeper->config->name, took, message);

        BackendGuest guest = follow_guest(keeper);
        machine_reset_end(m, result, now);
        if (guest.channel >= 0)
                adopt(keeper, &guest);
        machine_set_pulse(m, pulse_fact(keeper->pulse, now), now);
        keeper->run_id = -1;
        idle_cpu_reset(&keeper->cpu);
        look(keeper);
        /* What made it impossible is found out by a look. */
        if (m->due == REVERT_NONE || result != RESET_IMPOSSIBLE)
                answer_reverts(
                        keeper, result == RESET_DONE ? NULL : SD_BUS_ERROR_FAILED, keeper->last_error);
        keeper_stale_reset_ended(keeper, result, now);
        keeper_snapshot_loaded(keeper, result, message);
        keeper_changed(keeper);
}

/* 0, or a negative errno if it cannot be begun. */
static int reset(Keeper *keeper, SnapshotChoice choice) {
        Machine *m = &keeper->machine;

        /* A watchdog that dies in the middle has to know why it was begun. */
        int r = keeper_save(keeper);
        if (r < 0) {
                machine_postpone(m, usec_add(now_monotonic(), SAVE_RETRY_USEC));
                answer_reverts(keeper, VM1_ERROR_BUSY, "the state of the machines cannot be saved");
                return r;
        }

        keeper_report(keeper);
        crash_point("before-revert");

        link_stop(keeper->link);
        /* Where the guest goes on running, so does a heartbeat that is there. */
        if (machine_reverts(m) || m->pulse != PULSE_BEATING)
                pulse_stop(keeper->pulse);
        machine_reset_begin(m, now_realtime() / USEC_PER_SEC);
        keeper->reset_begun_usec = now_monotonic();
        (void)keeper_save(keeper);
        keeper->hooks.shown(keeper, keeper->hooks.userdata);

        if (!machine_reverts(m)) {
                on_reset_ended(RESET_DONE, "", keeper);
                return 0;
        }
        r = keeper_stale_boots(keeper) ? keeper->backend->verbs->boot(keeper->backend)
                                       : keeper->backend->verbs->revert(keeper->backend, choice);
        if (r < 0)
                on_reset_ended(RESET_FAILED, strerror(-r), keeper);
        else
                crash_point("during-revert");
        return 0;
}

/* ---- for operators ---- */

int keeper_revert(Keeper *keeper, RevertReason reason, sd_bus_message *call) {
        int r = pending_calls_add(&keeper->revert_calls, call);
        if (r >= 0)
                condemn(keeper, reason);
        return r;
}

int keeper_drain(Keeper *keeper, bool drain) {
        bool before = keeper->machine.drained;

        keeper->machine.drained = drain;
        int r = keeper_save(keeper);
        if (r < 0) {
                keeper->machine.drained = before;
                return r;
        }
        keeper_log(keeper, LOG_NOTICE, MESSAGE_STATE, "%s is %s by an operator.", keeper->config->name,
                drain ? "drained" : "put back to work");
        if (before && !drain)
                machine_resume(&keeper->machine, now_monotonic());
        keeper_changed(keeper);
        return 0;
}

void keeper_sender_gone(Keeper *keeper, const char *sender) {
        pending_calls_sender_gone(&keeper->revert_calls, sender);
        pending_calls_sender_gone(&keeper->snapshot_calls, sender);
        keeper_snapshot_interrupt(keeper);
}

/* ---- for whoever leases it ---- */

bool keeper_can_lease(const Keeper *keeper, bool is_operator) {
        return machine_can_lease(&keeper->machine, is_operator);
}

bool keeper_is_fresh(const Keeper *keeper) {
        return machine_is_fresh(&keeper->machine, now_monotonic());
}

unsigned keeper_leases(const Keeper *keeper) {
        return keeper->machine.leases;
}

void keeper_prove(Keeper *keeper) {
        link_probe(keeper->link);
}

Prospect keeper_prospect(const Keeper *keeper) {
        return machine_prospect(&keeper->machine);
}

bool keeper_is_hopeless(const Keeper *keeper, bool is_operator) {
        return machine_is_hopeless(&keeper->machine, is_operator, now_monotonic());
}

void keeper_set_waiting(Keeper *keeper, size_t waiting) {
        keeper->waiting = waiting;
        keeper_changed(keeper);
}

int keeper_lease(Keeper *keeper, StrandDone done, void *userdata, Strand **ret) {
        int r = strand_new(keeper->link, done, userdata, ret);
        if (r >= 0)
                machine_lease(&keeper->machine);
        return r;
}

void keeper_disprove(Keeper *keeper) {
        machine_disprove(&keeper->machine);
}

bool keeper_release(Keeper *keeper, const Asker *user, Outcome outcome) {
        bool blamed = false;

        /* The last one has brought about nothing, or that has been mended. */
        if (keeper->machine.due == REVERT_NONE)
                keeper->blamed = false;
        if (user)
                blamed = machine_release(&keeper->machine, outcome, now_monotonic());
        else
                machine_unlease(&keeper->machine);
        if (user && !keeper->blamed) {
                if (asker_copy(&keeper->user, user) < 0)
                        (void)log_oom();
                keeper->blamed = blamed;
        }
        keeper_changed(keeper);
        return blamed;
}

int keeper_save(Keeper *keeper) {
        return keeper->hooks.save(keeper, keeper->hooks.userdata);
}

/* ---- what follows ---- */

/* PBot's agent of 2023 takes another framing, so it has to be known who is there before a word is said. */
static bool may_talk(const Keeper *keeper) {
        return keeper_guest(keeper) != GUEST_UNKNOWN || keeper->machine.pulse == PULSE_NONE;
}

static void connect_guest(Keeper *keeper) {
        if (keeper->machine.resetting || keeper->machine.run == RUN_OFF ||
                keeper->machine.run == RUN_MISSING)
                return;
        pulse_start(keeper->pulse);
        if (may_talk(keeper))
                link_start(keeper->link, framing(keeper));
}

static void set_timer(Keeper *keeper, uint64_t now) {
        uint64_t deadline = MIN(machine_deadline(&keeper->machine),
                MIN(keeper_snapshot_deadline(keeper), keeper_stale_deadline(keeper)));

        /* What was due before now has been done, or is not to be done. */
        if (deadline == USEC_INFINITY || deadline <= now) {
                (void)sd_event_source_set_enabled(keeper->timer, SD_EVENT_OFF);
                return;
        }
        (void)sd_event_source_set_time(keeper->timer, deadline);
        (void)sd_event_source_set_enabled(keeper->timer, SD_EVENT_ONESHOT);
}

bool keeper_is_worn(const Keeper *keeper) {
        return machine_is_worn(&keeper->machine, now_monotonic());
}

void keeper_set_needed(Keeper *keeper, bool needed) {
        keeper->machine.needed = needed;
}

void keeper_give_up(Keeper *keeper) {
        answer_reverts(keeper, SD_BUS_ERROR_FAILED, "the watchdog ends, or has other settings for it");
        keeper_snapshot_give_up(keeper);
}

static void try_snapshot(Keeper *keeper) {
        SnapshotChoice choice;

        if (keeper_snapshot_try(keeper, &choice) && reset(keeper, choice) < 0)
                keeper_snapshot_loaded(keeper, RESET_FAILED, "the state of the machines cannot be saved");
}

void keeper_update(Keeper *keeper) {
        Machine *m = &keeper->machine;
        uint64_t now = now_monotonic();
        MachineStep step;

        keeper_count(keeper, now);
        m->slots = slots(keeper);
        machine_tick(m, now);
        keeper_stale_update(keeper, now);
        while ((step = machine_step(m, now)) != MACHINE_STEP_NONE)
                if (step == MACHINE_STEP_REVOKE)
                        keeper_revoke(keeper, OUTCOME_ABANDONED);
                else
                        (void)reset(keeper, SNAPSHOT_IN_FORCE);

        try_snapshot(keeper);

        answer_obstacle(keeper);
        connect_guest(keeper);
        keeper_snapshot_update(keeper, now);
        /* After a job that failed alone, the guest proves itself, whether or not somebody waits. */
        if (m->link == LINK_PROVEN && m->proven_usec == 0 && m->due == REVERT_NONE)
                link_probe(keeper->link);
        set_timer(keeper, now);
        keeper_look_soon(keeper, now);
}

static int on_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        keeper_changed(userdata);
        return 0;
}

const MachineConfig *keeper_config(const Keeper *keeper) {
        return keeper->config;
}

bool keeper_is_at_work(const Keeper *keeper) {
        return keeper->machine.resetting || keeper->machine.held;
}

bool keeper_is_idle(const Keeper *keeper) {
        return keeper->machine.leases == 0 && !keeper_is_at_work(keeper);
}

/* ---- beginning and end ---- */

static void on_restocked(void *userdata) {
        keeper_changed(userdata);
}

static int open_backend(Keeper *keeper, BackendDriver *driver) {
        BackendHooks hooks = {
                .looked = keeper_looked,
                .crashed = on_crashed,
                .rebooted = on_rebooted,
                .reverted = on_reset_ended,
                .snapshots_changed = keeper_snapshots_changed,
                .restocked = on_restocked,
                .userdata = keeper,
        };
        int r = driver->verbs->open(driver, keeper->config, &hooks, &keeper->backend);
        if (r < 0)
                return r;
        link_set_opener(keeper->link, keeper->backend->opener);
        pulse_set_opener(keeper->pulse, keeper->backend->opener);
        return 0;
}

static int open_ways(Keeper *keeper, sd_event *event) {
        LinkHooks hooks = {
                .fact = on_link_fact,
                .unasked = on_link_unasked,
                .misbehaved = on_link_misbehaved,
                .userdata = keeper,
        };
        int r = link_new(event, keeper->config, hooks, &keeper->link);
        return r < 0 ? r : pulse_new(event, keeper->config, on_pulse, keeper, &keeper->pulse);
}

static void recall(Keeper *keeper, const SavedMachine *known) {
        uint64_t now = now_monotonic();

        keeper->hour = known->hour;
        if (known->generation == 0 && known->due == REVERT_NONE)
                return;
        pulse_recall_guest(keeper->pulse, known->guest);
        machine_recall(&keeper->machine, known->drained, known->due, now);
        machine_recall_failures(&keeper->machine, (unsigned)known->failures, known->retry_usec, now);
        machine_recall_age(&keeper->machine, known->born_usec, known->served, now);
        if (asker_copy(&keeper->user, &known->user) < 0)
                (void)log_oom();
}

int keeper_new(sd_event *event, const MachineConfig *config, BackendDriver *driver,
        const SavedMachine *known, uint64_t generation, const KeeperHooks *hooks, Keeper **ret) {
        _cleanup_(keeper_freep) Keeper *keeper = calloc(1, sizeof(*keeper));
        if (!keeper)
                return -ENOMEM;

        keeper->hooks = *hooks;
        keeper->run_id = -1;
        keeper->config = machine_config_copy(config);
        if (!keeper->config)
                return -ENOMEM;
        machine_init(&keeper->machine, keeper->config, driver ? driver->verbs->obstacles : NULL,
                known->generation > 0 ? known->generation : generation, now_monotonic());
        if (!transport_addr_is_usable(keeper->config))
                keeper_log(keeper, LOG_ERR, MESSAGE_CONFIG,
                        "machines.%s.addr: expected a numeric address or \"localhost\", found \"%s\": its "
                        "serial lines cannot be used.",
                        keeper->config->name, keeper->config->addr);

        int r = open_ways(keeper, event);
        if (r >= 0 && driver)
                r = open_backend(keeper, driver);
        if (r >= 0)
                r = sd_event_add_time(
                        event, &keeper->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_time, keeper);
        if (r >= 0 && driver)
                r = keeper_look_setup(keeper, event);
        if (r < 0)
                return r;

        recall(keeper, known);
        if (driver && driver->verbs->recall)
                driver->verbs->recall(keeper->backend, (unsigned)known->place);
        (void)follow_guest(keeper);
        *ret = TAKE_PTR(keeper);
        return 0;
}

Keeper *keeper_free(Keeper *keeper) {
        if (!keeper)
                return NULL;
        keeper_give_up(keeper);
        sd_event_source_disable_unref(keeper->timer);
        sd_event_source_disable_unref(keeper->look_timer);
        pulse_free(keeper->pulse);
        link_free(keeper->link);
        /* Which had lent them paths, and what opens them. */
        if (keeper->backend)
                keeper->backend->verbs->free(keeper->backend);
        machine_config_free(keeper->config);
        asker_done(&keeper->user);
        free(keeper);
        return NULL;
}
