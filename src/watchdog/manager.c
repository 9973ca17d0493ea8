/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/manager.h"

#include "common/io.h"
#include "common/log.h"
#include "common/vm1.h"
#include "watchdog/crash.h"
#include "watchdog/health.h"
#include "watchdog/lease.h"
#include "watchdog/machine-bus.h"
#include "watchdog/manager-bus.h"
#include "watchdog/state-file.h"

sd_event *manager_event(const Manager *manager) {
        return manager->event;
}

int manager_run_fd(const Manager *manager) {
        return manager->run_fd;
}

Keeper *manager_keeper(const Manager *manager, const char *name) {
        for (size_t i = 0; i < manager->n_keepers; i++)
                if (!manager->keepers[i]->retired && streq(manager->keepers[i]->config->name, name))
                        return manager->keepers[i];
        return NULL;
}

/* ---- saving ---- */

int manager_save(Manager *manager) {
        _cleanup_text_ Text text = {};

        int r = state_file_format(manager, &text);
        if (r >= 0 && streq_ptr(manager->saved, text_string(&text))) {
                manager->unsaved = false;
                return 0;
        }
        if (r >= 0) {
                crash_point(manager, "before-state-save");
                r = state_file_write(manager->run_fd, &text);
        }
        free(manager->saved);
        manager->saved = NULL;
        if (r >= 0)
                (void)text_steal(&text, &manager->saved, NULL);
        if (r < 0 && !manager->save_failed)
                (void)log_error_errno(
                        r, "Failed to save the state, nobody gets a machine until that works: %m");
        else if (r >= 0 && manager->save_failed)
                log_notice("The state can be saved again.");
        manager->save_failed = manager->unsaved = r < 0;
        return r;
}

/* ---- machines ---- */

static int manager_hypervisor(Manager *manager, const char *uri, Hypervisor **ret) {
        for (size_t i = 0; i < manager->n_hypervisors; i++)
                if (streq(hypervisor_uri(manager->hypervisors[i]), uri)) {
                        *ret = manager->hypervisors[i];
                        return 0;
                }

        Hypervisor **larger =
                realloc(manager->hypervisors, (manager->n_hypervisors + 1) * sizeof(*manager->hypervisors));
        if (!larger)
                return -ENOMEM;
        manager->hypervisors = larger;

        int r = 0;
        if (!manager->libvirt)
                r = libvirt_thread_new(manager->event, &manager->libvirt);
        if (r >= 0)
                r = hypervisor_new(manager->event, manager->libvirt, uri, ret);
        if (r < 0)
                return r;
        manager->hypervisors[manager->n_hypervisors++] = *ret;
        return 0;
}

static void on_hypervisor_gone(Hypervisor *hypervisor, void *userdata) {
        Manager *manager = userdata;
        size_t n = 0;

        for (size_t i = 0; i < manager->n_retired; i++)
                if (manager->retired[i] != hypervisor)
                        manager->retired[n++] = manager->retired[i];
        manager->n_retired = n;
        hypervisor_free(hypervisor);
}

static void retire_hypervisor(Manager *manager, Hypervisor *hypervisor) {
        health_leave_out(manager->health, hypervisor);
        manager->retired[manager->n_retired++] = hypervisor;
        hypervisor_retire(hypervisor, on_hypervisor_gone, manager);
}

/* Connections that no machine needs are given up. */
static void retire_hypervisors(Manager *manager) {
        size_t n = 0, room = manager->n_retired + manager->n_hypervisors;

        Hypervisor **larger = reallocarray(manager->retired, room + 1, sizeof(*manager->retired));
        if (!larger)
                return;
        manager->retired = larger;
        for (size_t i = 0; i < manager->n_hypervisors; i++)
                if (hypervisor_is_used(manager->hypervisors[i]))
                        manager->hypervisors[n++] = manager->hypervisors[i];
                else
                        retire_hypervisor(manager, manager->hypervisors[i]);
        manager->n_hypervisors = n;
}

static int add_machine(Manager *manager, const MachineConfig *config, const SavedState *saved) {
        SavedMachine known = saved_machine(saved, config->name);
        Hypervisor *hypervisor = NULL;
        Keeper *keeper = NULL;

        Keeper **larger = realloc(manager->keepers, (manager->n_keepers + 1) * sizeof(*manager->keepers));
        if (!larger)
                return -ENOMEM;
        manager->keepers = larger;

        int r = config->domain ? manager_hypervisor(manager, config->uri, &hypervisor) : 0;
        if (r >= 0)
                r = keeper_new(manager, config, hypervisor,
                        known.generation > 0 ? known.generation : now_realtime() / USEC_PER_SEC, &keeper);
        if (r < 0)
                return r;
        if (known.generation > 0 || known.due != REVERT_NONE) {
                pulse_recall_guest(keeper->pulse, known.guest);
                machine_recall(&keeper->machine, known.drained, known.due, now_monotonic());
                machine_recall_failures(&keeper->machine, known.failures, known.retry_usec, now_monotonic());
                machine_recall_age(&keeper->machine, known.born_usec, known.served, now_monotonic());
        }
        manager->keepers[manager->n_keepers++] = keeper;
        manager_changed(manager, keeper);
        manager_unsaved(manager);
        machine_bus_announce(keeper, true);
        return 0;
}

/* A machine that the configuration has no more, or otherwise, goes with its last lease. */
static bool is_over(const Keeper *keeper) {
        return keeper->retired && keeper->machine.leases == 0 && !keeper->machine.resetting &&
               !keeper->machine.held;
}

static void remove_retired(Manager *manager) {
        size_t n = 0;

        for (size_t i = 0; i < manager->n_keepers; i++)
                if (is_over(manager->keepers[i]))
                        keeper_free(manager->keepers[i]);
                else
                        manager->keepers[n++] = manager->keepers[i];
        manager->n_keepers = n;
        manager->retiring = false;
        for (size_t i = 0; i < n; i++)
                manager->retiring = manager->retiring || manager->keepers[i]->retired;
        manager_unsaved(manager);
}

static bool name_is_in_use(const Manager *manager, const char *name) {
        for (size_t i = 0; i < manager->n_keepers; i++)
                if (streq(manager->keepers[i]->config->name, name))
                        return true;
        return false;
}

/* What the operator may not have meant. */
static void tell_warnings(const Config *config) {
        _cleanup_text_ Text warnings = {};

        config_warn(config, &warnings);
        for (const char *line = text_string(&warnings); *line; line += strcspn(line, "\n") + 1)
                (void)log_write(
                        LOG_WARNING, 0, MESSAGE_CONFIG, NULL, "%.*s", (int)strcspn(line, "\n"), line);
}

/* Machines of the configuration that are not there yet; one that is still in use the old way has to wait. */
static int add_machines(Manager *manager, const SavedState *saved) {
        for (size_t i = 0; i < manager->config->n_machines; i++) {
                const MachineConfig *config = &manager->config->machines[i];
                if (name_is_in_use(manager, config->name))
                        continue;
                int r = add_machine(manager, config, saved);
                if (r < 0)
                        return log_error_errno(r, "Failed to set up %s: %m", config->name);
        }
        return 0;
}

/* What a machine that is replaced leaves to its successor. */
static int save_for_successors(const Manager *manager, SavedState *ret) {
        SavedState state = { .machines = calloc(manager->n_keepers + 1, sizeof(SavedMachine)) };
        if (!state.machines)
                return -ENOMEM;

        for (size_t i = 0; i < manager->n_keepers; i++) {
                SavedMachine *m = &state.machines[state.n_machines];
                *m = keeper_record(manager->keepers[i]);
                /* With other settings what failed may work. */
                m->failures = 0;
                m->name = strdup(manager->keepers[i]->config->name);
                if (m->name)
                        state.n_machines++;
        }
        *ret = state;
        return 0;
}

static void update_changed(Manager *manager) {
        /* Those that change meanwhile have their turn in the next round. */
        for (Keeper *k = TAKE_PTR(manager->changed), *next; k; k = next) {
                next = TAKE_PTR(k->next_changed);
                k->changed = false;
                manager->retold = keeper_update(k) || manager->retold;
        }
}

static void replace_retired(Manager *manager) {
        _cleanup_(saved_state_done) SavedState state = {};

        bool any = false;
        for (size_t i = 0; manager->retiring && i < manager->n_keepers; i++)
                any = any || is_over(manager->keepers[i]);
        if (!any || save_for_successors(manager, &state) < 0)
                return;
        remove_retired(manager);
        manager->retold = true;
        (void)add_machines(manager, &state);
        update_changed(manager);
        retire_hypervisors(manager);
}

/* ---- the loop ---- */

static void set_queue_timer(Manager *manager) {
        uint64_t deadline = queue_deadline(&manager->queue);

        if (deadline == USEC_INFINITY)
                (void)sd_event_source_set_enabled(manager->queue_timer, SD_EVENT_OFF);
        else {
                (void)sd_event_source_set_time(manager->queue_timer, deadline);
                (void)sd_event_source_set_enabled(manager->queue_timer, SD_EVENT_ONESHOT);
        }
}

/* Nobody has a machine, and what the last one left behind is reverted. */
static bool is_quiet(const Manager *manager) {
        for (size_t i = 0; i < manager->n_keepers; i++)
                if (manager->keepers[i]->machine.resetting || manager->keepers[i]->machine.held)
                        return false;
        return !manager->leases;
}

static int on_update(sd_event_source *source _unused_, void *userdata) {
        Manager *manager = userdata;

        update_changed(manager);
        replace_retired(manager);
        lease_dispatch(manager);
        if (manager->unsaved)
                (void)manager_save(manager);
        set_queue_timer(manager);
        if (manager->retold)
                health_tell(manager->health);
        manager->retold = false;
        if (manager->stopping && is_quiet(manager))
                (void)sd_event_exit(manager->event, 0);
        return 0;
}

static int on_queue_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        manager_poke(userdata);
        return 0;
}

void manager_poke(Manager *manager) {
        (void)sd_event_source_set_enabled(manager->update, SD_EVENT_ONESHOT);
}

void manager_changed(Manager *manager, Keeper *keeper) {
        if (!keeper->changed) {
                keeper->changed = true;
                keeper->next_changed = manager->changed;
                manager->changed = keeper;
        }
        manager_poke(manager);
}

void manager_unsaved(Manager *manager) {
        manager->unsaved = true;
        manager_poke(manager);
}

void manager_forget(Manager *manager, Keeper *keeper) {
        for (Keeper **k = &manager->changed; *k; k = &(*k)->next_changed)
                if (*k == keeper) {
                        *k = keeper->next_changed;
                        return;
                }
}

/* Whoever is not done by now is cut off; what he used counts as used for the next start. */
static int on_stop_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Manager *manager = userdata;

        log_warning("Leases that do not end are taken back.");
        for (size_t i = 0; i < manager->n_keepers; i++)
                lease_revoke(manager->keepers[i], OUTCOME_ABANDONED);
        lease_refuse_all(manager);
        (void)manager_save(manager);
        (void)sd_event_exit(manager->event, 0);
        return 0;
}

void manager_stop(Manager *manager) {
        if (manager->stopping) {
                (void)sd_event_exit(manager->event, 0);
                return;
        }
        manager->stopping = true;
        health_stopping(manager->health);
        lease_refuse_all(manager);
        manager_poke(manager);
        (void)sd_event_add_time_relative(manager->event, NULL, CLOCK_MONOTONIC, MANAGER_STOP_USEC,
                USEC_PER_MSEC, on_stop_time, manager);
}

/* ---- configuration ---- */

int manager_reload(Manager *manager, Text *errors) {
        extern char **environ;
        Config *config = NULL;

        health_reloading(manager->health);
        int r = config_load(NULL, environ, &config, errors);
        if (r < 0) {
                (void)log_write(LOG_ERR, r, MESSAGE_CONFIG, NULL,
                        "The configuration is wrong, the old one stays: %s", text_string(errors));
                health_reloaded(manager->health);
                return r;
        }

        config_free(manager->config);
        manager->config = config;
        for (size_t i = 0; i < manager->n_keepers; i++) {
                Keeper *k = manager->keepers[i];
                const MachineConfig *now = config_machine(config, k->config->name);
                bool retires = !now || !settings_equal(now, k->config);

                if (retires && !k->retired)
                        machine_bus_announce(k, false);
                k->retired = retires;
                manager->retiring = manager->retiring || retires;
                manager_changed(manager, k);
        }
        replace_retired(manager);
        tell_warnings(config);
        r = add_machines(manager, &(SavedState){});
        log_notice("The configuration was read again.");
        manager_poke(manager);
        health_reloaded(manager->health);
        return r;
}

/* ---- beginning and end ---- */

static int add_sources(Manager *manager) {
        int r = sd_event_add_defer(manager->event, &manager->update, on_update, manager);
        if (r >= 0)
                r = sd_event_add_time(manager->event, &manager->queue_timer, CLOCK_MONOTONIC, 0,
                        USEC_PER_MSEC, on_queue_time, manager);
        if (r >= 0)
                r = sd_event_source_set_enabled(manager->queue_timer, SD_EVENT_OFF);
        return r;
}

int manager_new(sd_event *event, sd_bus *bus, Config *config, int run_fd, Manager **ret) {
        _cleanup_(saved_state_done) SavedState saved = {};
        _cleanup_(manager_freep) Manager *manager = calloc(1, sizeof(*manager));
        if (!manager) {
                config_free(config);
                return -ENOMEM;
        }
        manager->event = sd_event_ref(event);
        manager->bus = sd_bus_ref(bus);
        manager->config = config;
        manager->run_fd = run_fd;

        int r = add_sources(manager);
        if (r >= 0)
                r = gate_new(manager, manager_gate_methods, &manager->gate);
        if (r >= 0)
                r = health_new(manager, &manager->health);
        if (r >= 0)
                r = state_file_read(run_fd, &saved);
        tell_warnings(config);
        if (r >= 0)
                r = add_machines(manager, &saved);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(manager);
        return 0;
}

int manager_start(Manager *manager) {
        int r = manager_bus_add(manager);
        if (r >= 0)
                r = sd_bus_request_name(manager->bus, VM1_NAME, 0);
        if (r < 0)
                return log_error_errno(r, "Failed to take the name " VM1_NAME " on the bus: %m");
        manager->started = true;
        update_changed(manager);
        (void)manager_save(manager);
        health_ready(manager->health);
        return 0;
}

Manager *manager_free(Manager *manager) {
        if (!manager)
                return NULL;
        for (size_t i = 0; i < manager->n_keepers; i++)
                lease_revoke(manager->keepers[i], OUTCOME_ABANDONED);
        lease_refuse_all(manager);
        for (size_t i = 0; i < manager->n_keepers; i++)
                keeper_free(manager->keepers[i]);
        health_free(manager->health);
        libvirt_thread_stop(manager->libvirt);
        for (size_t i = 0; i < manager->n_hypervisors; i++)
                hypervisor_free(manager->hypervisors[i]);
        for (size_t i = 0; i < manager->n_retired; i++)
                hypervisor_free(manager->retired[i]);
        libvirt_thread_free(manager->libvirt);
        gate_free(manager->gate);
        sd_event_source_disable_unref(manager->queue_timer);
        sd_event_source_disable_unref(manager->update);
        sd_bus_flush_close_unref(manager->bus);
        sd_event_unref(manager->event);
        config_free(manager->config);
        free(manager->keepers);
        free(manager->hypervisors);
        free(manager->retired);
        free(manager->saved);
        free(manager);
        return NULL;
}
