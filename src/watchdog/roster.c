/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/roster.h"

#include <stdio.h>

#include "common/io.h"
#include "common/log.h"
#include "config/machine-config.h"
#include "paths.h"
#include "watchdog/bus/machine-signals.h"
#include "watchdog/libvirt/driver.h"
#include "watchdog/qemu/driver.h"

/* A machine, and what others were last told of it. */
typedef struct Entry Entry;
struct Entry {
        Roster *roster;
        Keeper *keeper;
        MachineSignals *signals;
        bool retired; /* gone from the configuration, or changed there: ends with its last lease */

        bool changed; /* it is in the list of those to be looked at */
        Entry *next_changed;
        SavedMachine saved; /* as it is to be saved */
        char status[400];   /* for people: "vm ready (channel)" */
};

struct Roster {
        sd_event *event;
        sd_bus *bus;
        Desk *desk;
        RosterHooks hooks;
        Entry **entries;
        size_t n_entries;
        BackendDriver *libvirt; /* NULL: no machine has needed it */
        BackendDriver *qemu;    /* the same */
        bool announcing;

        Entry *changed; /* those to be looked at */
        bool retiring;  /* a machine waits to be replaced */
        bool retold;    /* the status may be another one */
};

static void set_unsaved(const Roster *roster) {
        roster->hooks.unsaved(roster->hooks.userdata);
}

/* ---- one machine ---- */

static void entry_changed(Entry *entry) {
        if (!entry->changed) {
                entry->changed = true;
                entry->next_changed = entry->roster->changed;
                entry->roster->changed = entry;
        }
        entry->roster->hooks.changed(entry->roster->hooks.userdata);
}

static void on_keeper_changed(Keeper *keeper _unused_, void *userdata) {
        entry_changed(userdata);
}

static void on_keeper_shown(Keeper *keeper, void *userdata) {
        MachineView view = keeper_view(keeper);
        machine_signals_send(((Entry *)userdata)->signals, &view);
}

static void on_keeper_revoke(Keeper *keeper, Outcome outcome, void *userdata) {
        desk_revoke(((Entry *)userdata)->roster->desk, keeper, outcome);
}

static int on_keeper_save(Keeper *keeper _unused_, void *userdata) {
        const Roster *roster = ((Entry *)userdata)->roster;
        return roster->hooks.save(roster->hooks.userdata);
}

static Entry *entry_free(Entry *entry) {
        if (!entry)
                return NULL;
        machine_signals_free(entry->signals);
        keeper_free(entry->keeper);
        for (Entry **e = &entry->roster->changed; *e; e = &(*e)->next_changed)
                if (*e == entry) {
                        *e = entry->next_changed;
                        break;
                }
        free(entry);
        return NULL;
}
DEFINE_CLEANUP(Entry *, entry_free);

/* *ret: NULL if the machine has no backend. */
static int roster_driver(Roster *roster, const MachineConfig *config, BackendDriver **ret) {
        static const QemuFolders folders = { PBOTVM_QEMU_CONFIG_DIR, PBOTVM_QEMU_STATE_DIR,
                PBOTVM_QEMU_RUN_DIR };
        bool by_qemu = config->backend == BACKEND_QEMU;
        int r = 0;

        if (by_qemu && !roster->qemu)
                r = qemu_driver_new(roster->bus, &folders, &roster->qemu);
        else if (!by_qemu && config->domain && !roster->libvirt)
                r = libvirt_driver_new(roster->event, &roster->libvirt);
        if (r >= 0)
                *ret = by_qemu ? roster->qemu : config->domain ? roster->libvirt : NULL;
        return r;
}

static int entry_new(Roster *roster, const MachineConfig *config, const SavedMachine *known, Entry **ret) {
        _cleanup_(entry_freep) Entry *entry = calloc(1, sizeof(*entry));
        if (!entry)
                return -ENOMEM;
        entry->roster = roster;

        KeeperHooks hooks = {
                .changed = on_keeper_changed,
                .shown = on_keeper_shown,
                .revoke = on_keeper_revoke,
                .save = on_keeper_save,
                .userdata = entry,
        };
        BackendDriver *driver = NULL;
        int r = roster_driver(roster, config, &driver);
        if (r >= 0)
                r = keeper_new(roster->event, config, driver, known, now_realtime() / USEC_PER_SEC, &hooks,
                        &entry->keeper);
        if (r >= 0)
                r = machine_signals_new(roster->event, roster->bus, entry->keeper, &entry->signals);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(entry);
        return 0;
}

/* Has what others know of it told where it is not as it was. */
static void entry_tell(Entry *entry) {
        MachineView view = keeper_view(entry->keeper);
        const char *why = *view.reason ? view.reason : view.transport;
        char status[sizeof(entry->status)];

        if (!saved_machine_equal(&view.saved, &entry->saved))
                set_unsaved(entry->roster);
        entry->saved = view.saved;
        machine_signals_send(entry->signals, &view);
        snprintf(status, sizeof(status), "%s %s%s%s%s", view.name, view.state_name, *why ? " (" : "", why,
                *why ? ")" : "");
        if (streq(status, entry->status))
                return;
        memcpy(entry->status, status, sizeof(status));
        entry->roster->retold = true;
}

static void entry_retire(Entry *entry, bool retires) {
        if (retires && !entry->retired && entry->roster->announcing)
                machine_signals_announce(entry->signals, false);
        entry->retired = retires;
        machine_signals_mute(entry->signals, retires);
        entry->roster->retiring = entry->roster->retiring || retires;
        entry_changed(entry);
}

/* A machine that the configuration has no more, or otherwise, goes with its last lease. */
static bool entry_is_over(const Entry *entry) {
        return entry->retired && keeper_is_idle(entry->keeper);
}

/* ---- all machines ---- */

static int add_machine(Roster *roster, const MachineConfig *config, const SavedState *saved) {
        SavedMachine known = saved_machine(saved, config->name);
        Entry *entry = NULL;

        Entry **larger = reallocarray(roster->entries, roster->n_entries + 1, sizeof(*roster->entries));
        if (!larger)
                return -ENOMEM;
        roster->entries = larger;

        int r = entry_new(roster, config, &known, &entry);
        if (r < 0)
                return r;
        roster->entries[roster->n_entries++] = entry;
        keeper_set_waiting(entry->keeper, desk_waiting(roster->desk, config->name));
        set_unsaved(roster);
        if (roster->announcing)
                machine_signals_announce(entry->signals, true);
        return 0;
}

static void remove_retired(Roster *roster) {
        size_t n = 0;

        for (size_t i = 0; i < roster->n_entries; i++)
                if (entry_is_over(roster->entries[i]))
                        entry_free(roster->entries[i]);
                else
                        roster->entries[n++] = roster->entries[i];
        roster->n_entries = n;
        roster->retiring = false;
        for (size_t i = 0; i < n; i++)
                roster->retiring = roster->retiring || roster->entries[i]->retired;
        set_unsaved(roster);
}

static bool name_is_in_use(const Roster *roster, const char *name) {
        for (size_t i = 0; i < roster->n_entries; i++)
                if (streq(keeper_config(roster->entries[i]->keeper)->name, name))
                        return true;
        return false;
}

int roster_add(Roster *roster, const Config *config, const SavedState *saved) {
        for (size_t i = 0; i < config->n_machines; i++) {
                const MachineConfig *machine = &config->machines[i];
                if (name_is_in_use(roster, machine->name))
                        continue;
                int r = add_machine(roster, machine, saved);
                if (r < 0)
                        return log_error_errno(r, "Failed to set up %s: %m", machine->name);
        }
        return 0;
}

/* What a machine that is replaced leaves to its successor. */
static int save_for_successors(const Roster *roster, SavedState *ret) {
        SavedState state = { .machines = calloc(roster->n_entries + 1, sizeof(SavedMachine)) };
        if (!state.machines)
                return -ENOMEM;

        for (size_t i = 0; i < roster->n_entries; i++) {
                SavedMachine *m = &state.machines[state.n_machines];
                *m = keeper_view(roster->entries[i]->keeper).saved;
                /* With other settings what failed may work. */
                m->failures = 0;
                m->name = strdup(m->name);
                if (m->name)
                        state.n_machines++;
        }
        *ret = state;
        return 0;
}

/* True if of that pool nobody else could serve. */
static bool is_last_of(const Roster *roster, const AliasConfig *pool, const char *name) {
        bool in_it = false, others = false;

        for (char **member = pool->machines; *member; member++) {
                const Keeper *keeper = roster_keeper(roster, *member);
                if (streq(*member, name))
                        in_it = true;
                else if (keeper && keeper_can_lease(keeper, false))
                        return false;
                else
                        others = true;
        }
        return in_it && others;
}

/* Guests that began together have had their time together. */
static bool is_needed(const Roster *roster, const Config *config, const char *name) {
        for (size_t i = 0; i < config->n_aliases; i++)
                if (is_last_of(roster, &config->aliases[i], name))
                        return true;
        return false;
}

static void update_changed(Roster *roster, const Config *config) {
        /* Those that change meanwhile have their turn in the next round. */
        for (Entry *e = TAKE_PTR(roster->changed), *next; e; e = next) {
                next = TAKE_PTR(e->next_changed);
                e->changed = false;
                if (keeper_is_worn(e->keeper))
                        keeper_set_needed(
                                e->keeper, is_needed(roster, config, keeper_config(e->keeper)->name));
                keeper_update(e->keeper);
                entry_tell(e);
        }
}

static void replace_retired(Roster *roster, const Config *config) {
        _cleanup_(saved_state_done) SavedState state = {};

        bool any = false;
        for (size_t i = 0; roster->retiring && i < roster->n_entries; i++)
                any = any || entry_is_over(roster->entries[i]);
        if (!any || save_for_successors(roster, &state) < 0)
                return;
        remove_retired(roster);
        roster->retold = true;
        (void)roster_add(roster, config, &state);
        update_changed(roster, config);
        if (roster->libvirt)
                roster->libvirt->verbs->tidy(roster->libvirt);
}

bool roster_update(Roster *roster, const Config *config) {
        update_changed(roster, config);
        replace_retired(roster, config);

        bool retold = roster->retold;
        roster->retold = false;
        return retold;
}

int roster_follow(Roster *roster, const Config *config) {
        for (size_t i = 0; i < roster->n_entries; i++) {
                const MachineConfig *was = keeper_config(roster->entries[i]->keeper),
                                    *now = config_machine(config, was->name);
                entry_retire(roster->entries[i], !now || !machine_config_equal(now, was));
        }
        replace_retired(roster, config);
        return roster_add(roster, config, &(SavedState){});
}

void roster_announce(Roster *roster) {
        roster->announcing = true;
}

void roster_serve(Roster *roster) {
        for (size_t i = 0; i < roster->n_entries; i++)
                if (!roster->entries[i]->retired)
                        desk_serve(roster->desk, roster->entries[i]->keeper);
}

void roster_revoke_all(Roster *roster) {
        for (size_t i = 0; i < roster->n_entries; i++)
                desk_revoke(roster->desk, roster->entries[i]->keeper, OUTCOME_ABANDONED);
}

void roster_give_up(Roster *roster) {
        for (size_t i = 0; i < roster->n_entries; i++)
                keeper_give_up(roster->entries[i]->keeper);
}

bool roster_is_quiet(const Roster *roster) {
        for (size_t i = 0; i < roster->n_entries; i++)
                if (keeper_is_at_work(roster->entries[i]->keeper))
                        return false;
        return true;
}

void roster_sender_gone(Roster *roster, const char *sender) {
        for (size_t i = 0; i < roster->n_entries; i++)
                keeper_sender_gone(roster->entries[i]->keeper, sender);
}

int roster_alive(Roster *roster, void (*done)(void *userdata), void *userdata) {
        if (roster->libvirt)
                return roster->libvirt->verbs->alive(roster->libvirt, done, userdata);
        done(userdata);
        return 0;
}

/* ---- what is seen of them ---- */

Keeper *roster_keeper(const Roster *roster, const char *name) {
        for (size_t i = 0; i < roster->n_entries; i++)
                if (!roster->entries[i]->retired &&
                        streq(keeper_config(roster->entries[i]->keeper)->name, name))
                        return roster->entries[i]->keeper;
        return NULL;
}

Keeper *roster_next(const Roster *roster, size_t *at) {
        while (*at < roster->n_entries) {
                const Entry *entry = roster->entries[(*at)++];
                if (!entry->retired)
                        return entry->keeper;
        }
        return NULL;
}

void roster_status(const Roster *roster, size_t size_max, Text *text) {
        size_t left_out = 0;

        for (size_t i = 0; i < roster->n_entries; i++) {
                size_t size = text->size;
                if (roster->entries[i]->retired)
                        continue;
                if (left_out == 0)
                        text_append_printf(text, "%s%s", size > 0 ? "; " : "", roster->entries[i]->status);
                if (left_out > 0 || text->size > size_max) {
                        text_truncate(text, size);
                        left_out++;
                }
        }
        if (left_out > 0)
                text_append_printf(text, " and %zu more", left_out);
        else if (text->size == 0)
                text_append_string(text, "no machines");
}

int roster_record(const Roster *roster, SavedMachine **ret, size_t *ret_n) {
        SavedMachine *machines = calloc(roster->n_entries + 1, sizeof(*machines));
        if (!machines)
                return -ENOMEM;
        for (size_t i = 0; i < roster->n_entries; i++)
                machines[i] = keeper_view(roster->entries[i]->keeper).saved;
        *ret = machines;
        *ret_n = roster->n_entries;
        return 0;
}

/* ---- beginning and end ---- */

int roster_new(sd_event *event, sd_bus *bus, Desk *desk, const RosterHooks *hooks, Roster **ret) {
        Roster *roster = calloc(1, sizeof(*roster));
        if (!roster)
                return -ENOMEM;
        roster->event = sd_event_ref(event);
        roster->bus = sd_bus_ref(bus);
        roster->desk = desk;
        roster->hooks = *hooks;
        *ret = roster;
        return 0;
}

Roster *roster_free(Roster *roster) {
        if (!roster)
                return NULL;
        for (size_t i = 0; i < roster->n_entries; i++)
                entry_free(roster->entries[i]);
        if (roster->libvirt)
                roster->libvirt->verbs->end(roster->libvirt);
        if (roster->qemu)
                roster->qemu->verbs->end(roster->qemu);
        sd_bus_unref(roster->bus);
        sd_event_unref(roster->event);
        free(roster->entries);
        free(roster);
        return NULL;
}
