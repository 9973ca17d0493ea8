/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/manager.h"

#include <inttypes.h>

#include "common/io.h"
#include "common/log.h"
#include "watchdog/crash.h"
#include "watchdog/notify.h"
#include "watchdog/state-file.h"

/* So much of what the machines did (hour.h) is lost at most with a watchdog that dies. */
#define SAVE_USEC (60 * USEC_PER_SEC)

struct Manager {
        sd_event *event;
        sd_bus *bus;
        Config *config;
        int run_fd; /* the runtime directory */
        bool stopping;

        Roster *roster;
        Desk *desk;
        Notify *notify;
        Offenders offenders;

        bool unsaved; /* the state file may not be as it should */
        char *saved;  /* the state file as it was last written; NULL: that failed */
        bool save_failed;

        sd_event_source *update; /* runs once after whatever changed */
        sd_event_source *queue_timer;
        sd_event_source *save_timer; /* for what is no reason to save by itself */
};

/* ---- saving ---- */

static int format_state(const Manager *manager, Text *text) {
        SavedState state = {}; /* all its strings are borrowed */

        int r = roster_record(manager->roster, &state.machines, &state.n_machines);
        if (r >= 0)
                r = desk_record(manager->desk, &state.leases, &state.n_leases);
        if (r >= 0)
                r = state_file_format(&state, text);
        free(state.machines);
        free(state.leases);
        return r;
}

/* Writes the state file, if it is not as it was. 0 or negative errno; the first failure of a row is logged.
 */
static int save(Manager *manager) {
        _cleanup_text_ Text text = {};

        int r = format_state(manager, &text);
        if (r >= 0 && streq_ptr(manager->saved, text_string(&text))) {
                manager->unsaved = false;
                return 0;
        }
        if (r >= 0) {
                crash_point("before-state-save");
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

/* ---- what the parts ask for ---- */

/* What follows from a change is done soon, once. */
static void on_changed(void *userdata) {
        (void)sd_event_source_set_enabled(((Manager *)userdata)->update, SD_EVENT_ONESHOT);
}

static void on_unsaved(void *userdata) {
        ((Manager *)userdata)->unsaved = true;
        on_changed(userdata);
}

static int on_save(void *userdata) {
        return save(userdata);
}

static Keeper *on_find(const char *name, void *userdata) {
        return roster_keeper(((Manager *)userdata)->roster, name);
}

static bool on_is_expected(const char *name, void *userdata) {
        return config_machine(((Manager *)userdata)->config, name);
}

static void on_reverted(const Asker *asker, void *userdata) {
        Manager *manager = userdata;

        if (offenders_add(&manager->offenders, asker->nick, asker->channel, now_monotonic()) < 0)
                (void)log_oom();
}

static void on_status(Text *text, void *userdata) {
        roster_status(((Manager *)userdata)->roster, NOTIFY_STATUS_MAX, text);
}

static int on_alive(void (*done)(void *done_userdata), void *done_userdata, void *userdata) {
        return roster_alive(((Manager *)userdata)->roster, done, done_userdata);
}

/* ---- what others ask for ---- */

const Config *manager_config(const Manager *manager) {
        return manager->config;
}

Roster *manager_roster(const Manager *manager) {
        return manager->roster;
}

Desk *manager_desk(const Manager *manager) {
        return manager->desk;
}

bool manager_is_stopping(const Manager *manager) {
        return manager->stopping;
}

static void log_refused(const OffenderView *who, const NickLimit *limit) {
        _cleanup_text_ Text nick = {}, channel = {}, reverts = {};

        text_append_printf(&nick, "PBOTVM_NICK=%s", who->nick);
        text_append_printf(&channel, "PBOTVM_CHANNEL=%s", who->channel);
        text_append_printf(&reverts, "PBOTVM_REVERTS=%" PRIu32, who->reverts);
        (void)log_write(LOG_NOTICE, 0, MESSAGE_NICK_REFUSED,
                (const char *[]){ text_string(&nick), text_string(&channel), text_string(&reverts), NULL },
                "%s is refused for %.0f s: %" PRIu32 " reverts within %.0f s.", who->nick,
                (double)who->left_usec / USEC_PER_SEC, who->reverts, (double)limit->usec / USEC_PER_SEC);
}

uint64_t manager_refuse(Manager *manager, const Asker *asker) {
        const NickLimit *limit = &manager->config->nick_reverts;
        OffenderView view;
        bool first;

        if (!offenders_refuse(&manager->offenders, limit, asker->nick, now_monotonic(), &view, &first))
                return 0;
        if (first)
                log_refused(&view, limit);
        return view.left_usec;
}

bool manager_next_refused(const Manager *manager, size_t *at, OffenderView *ret) {
        return offenders_next(&manager->offenders, &manager->config->nick_reverts, now_monotonic(), at, ret);
}

void manager_sender_gone(Manager *manager, const char *sender) {
        desk_sender_gone(manager->desk, sender);
        roster_sender_gone(manager->roster, sender);
}

/* ---- the loop ---- */

static void set_queue_timer(Manager *manager) {
        uint64_t deadline = desk_deadline(manager->desk);

        if (deadline == USEC_INFINITY)
                (void)sd_event_source_set_enabled(manager->queue_timer, SD_EVENT_OFF);
        else {
                (void)sd_event_source_set_time(manager->queue_timer, deadline);
                (void)sd_event_source_set_enabled(manager->queue_timer, SD_EVENT_ONESHOT);
        }
}

/* The bus closes with the loop, so all who wait for something are told before. */
static void finish(Manager *manager) {
        roster_give_up(manager->roster);
        desk_refuse_all(manager->desk);
        (void)sd_event_exit(manager->event, 0);
}

static int on_update(sd_event_source *source _unused_, void *userdata) {
        Manager *manager = userdata;

        bool retold = roster_update(manager->roster, manager->config);
        roster_serve(manager->roster);
        desk_expire(manager->desk);
        if (manager->unsaved)
                (void)save(manager);
        set_queue_timer(manager);
        if (retold)
                notify_status(manager->notify);
        /* Nobody has a machine, and what the last one left behind is reverted. */
        if (manager->stopping && roster_is_quiet(manager->roster) && !desk_has_leases(manager->desk)) {
                (void)save(manager);
                finish(manager);
        }
        return 0;
}

static int on_queue_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        on_changed(userdata);
        return 0;
}

static int on_save_time(sd_event_source *source, uint64_t usec _unused_, void *userdata) {
        (void)save(userdata);
        (void)sd_event_source_set_time_relative(source, SAVE_USEC);
        (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
}

/* Whoever is not done by now is cut off; what he used counts as used for the next start. */
static int on_stop_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Manager *manager = userdata;

        log_warning("Leases that do not end are taken back.");
        roster_revoke_all(manager->roster);
        (void)save(manager);
        finish(manager);
        return 0;
}

void manager_stop(Manager *manager) {
        if (manager->stopping) {
                finish(manager);
                return;
        }
        manager->stopping = true;
        notify_stopping();
        desk_refuse_all(manager->desk);
        on_changed(manager);
        (void)sd_event_add_time_relative(manager->event, NULL, CLOCK_MONOTONIC, MANAGER_STOP_USEC,
                USEC_PER_MSEC, on_stop_time, manager);
}

/* ---- configuration ---- */

/* What the operator may not have meant. */
static void tell_warnings(const Config *config) {
        _cleanup_text_ Text warnings = {};

        config_warn(config, &warnings);
        for (const char *line = text_string(&warnings); *line; line += strcspn(line, "\n") + 1)
                (void)log_write(
                        LOG_WARNING, 0, MESSAGE_CONFIG, NULL, "%.*s", (int)strcspn(line, "\n"), line);
}

int manager_reload(Manager *manager, Text *errors) {
        extern char **environ;
        Config *config = NULL;

        notify_reloading(manager->notify);
        int r = config_load(NULL, environ, &config, errors);
        if (r < 0) {
                (void)log_write(LOG_ERR, r, MESSAGE_CONFIG, NULL,
                        "The configuration is wrong, the old one stays: %s", text_string(errors));
                notify_reloaded(manager->notify);
                return r;
        }

        config_free(manager->config);
        manager->config = config;
        tell_warnings(config);
        r = roster_follow(manager->roster, config);
        log_notice("The configuration was read again.");
        on_changed(manager);
        notify_reloaded(manager->notify);
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
        if (r >= 0)
                r = sd_event_add_time_relative(manager->event, &manager->save_timer, CLOCK_MONOTONIC,
                        SAVE_USEC, USEC_PER_SEC, on_save_time, manager);
        return r;
}

static int add_parts(Manager *manager) {
        DeskHooks desk_hooks = {
                .find = on_find,
                .is_expected = on_is_expected,
                .changed = on_changed,
                .unsaved = on_unsaved,
                .reverted = on_reverted,
                .userdata = manager,
        };
        RosterHooks roster_hooks = {
                .changed = on_changed,
                .unsaved = on_unsaved,
                .save = on_save,
                .userdata = manager,
        };
        NotifyHooks notify_hooks = {
                .status = on_status,
                .alive = on_alive,
                .userdata = manager,
        };

        int r = desk_new(manager->event, &desk_hooks, &manager->desk);
        if (r >= 0)
                r = roster_new(manager->event, manager->bus, manager->desk, &roster_hooks, &manager->roster);
        if (r >= 0)
                r = notify_new(manager->event, &notify_hooks, &manager->notify);
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
                r = add_parts(manager);
        if (r >= 0)
                r = state_file_read(run_fd, &saved);
        tell_warnings(config);
        if (r >= 0)
                r = roster_add(manager->roster, config, &saved);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(manager);
        return 0;
}

void manager_start(Manager *manager) {
        roster_announce(manager->roster);
        (void)roster_update(manager->roster, manager->config);
        (void)save(manager);
        notify_ready(manager->notify);
}

Manager *manager_free(Manager *manager) {
        if (!manager)
                return NULL;
        if (manager->roster) {
                roster_revoke_all(manager->roster);
                desk_refuse_all(manager->desk);
        }
        notify_free(manager->notify);
        roster_free(manager->roster);
        desk_free(manager->desk);
        sd_event_source_disable_unref(manager->queue_timer);
        sd_event_source_disable_unref(manager->save_timer);
        sd_event_source_disable_unref(manager->update);
        sd_bus_flush_close_unref(manager->bus);
        sd_event_unref(manager->event);
        config_free(manager->config);
        offenders_done(&manager->offenders);
        free(manager->saved);
        free(manager);
        return NULL;
}
