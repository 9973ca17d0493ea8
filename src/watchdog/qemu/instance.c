/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/qemu/instance.h"

#include <stdio.h>

#include "common/io.h"
#include "qemu/template.h"
#include "qmp/qmp.h"
#include "watchdog/qemu/unit-job.h"

#define ANSWER_USEC (5 * USEC_PER_SEC)
/* Longer than systemd itself waits for the units. */
#define REVERT_USEC (100 * USEC_PER_SEC)
#define TEMPLATE_USEC (1000 * USEC_PER_SEC)

typedef struct Instance {
        Backend backend;
        sd_bus *bus;
        QemuFolders folders;
        BackendHooks hooks;
        char *name;
        Text unit, template_unit, monitor, template;

        Qmp *qmp;
        bool ready; /* the monitor takes commands */
        int id;     /* so many QEMUs were seen */

        bool looking, look_again;
        BackendLook look;
        Text message;          /* of the look */
        sd_bus_slot *question; /* of the look */

        UnitJob *job;
        bool reverting; /* what would be seen now is the revert itself */
        bool taken;     /* the template in force is the last one that was made here */

        /* What is told from the loop, though it is known at once. */
        sd_event_source *deferred;
        bool tells_look, tells_revert, tells_change;
        int change;
} Instance;

static void defer(Instance *i, bool *what) {
        *what = true;
        (void)sd_event_source_set_enabled(i->deferred, SD_EVENT_ONESHOT);
}

/* ---- what it is doing ---- */

static RunFact status_run(const char *status) {
        static const struct {
                const char *status;
                RunFact run;
        } table[] = {
                { "running", RUN_RUNNING },
                { "guest-panicked", RUN_CRASHED },
                { "shutdown", RUN_OFF },
                { "save-vm", RUN_SAVING },
                { "finish-migrate", RUN_SAVING },
        };

        for (size_t i = 0; status && i < ELEMENTSOF(table); i++)
                if (streq(status, table[i].status))
                        return table[i].run;
        return RUN_PAUSED; /* for whatever reason: an error of the disk's, a hand, nothing loaded yet */
}

static void end_look(Instance *i) {
        i->looking = false;
        i->question = sd_bus_slot_unref(i->question);
        i->look.taken_usec = now_monotonic();
        i->hooks.looked(&i->look, i->hooks.userdata);
        if (i->look_again) {
                i->look_again = false;
                instance_look(&i->backend);
        }
}

static int on_cpu(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        Instance *i = userdata;
        uint64_t nsec = 0;

        if (!sd_bus_message_is_method_error(reply, NULL) &&
                sd_bus_message_read(reply, "v", "t", &nsec) >= 0 && nsec != UINT64_MAX)
                i->look.cpu_usec = nsec / NSEC_PER_USEC;
        end_look(i);
        return 0;
}

static void on_status(
        Qmp *qmp _unused_, int result, const Json *value, const char *message _unused_, void *userdata) {
        Instance *i = userdata;

        /* A revert was begun meanwhile, or the monitor was closed: that is told by on_closed(). */
        if (!i->looking || (result < 0 && result != -ETIMEDOUT && result != -EREMOTEIO))
                return;
        if (result < 0)
                i->look.run = RUN_UNKNOWN; /* what the links say counts */
        else
                i->look.run = status_run(json_string(json_member(value, "status"), NULL));
        i->look.id = i->id;
        if (unit_get_property(i->bus, text_string(&i->unit), "CPUUsageNSec", on_cpu, i, &i->question) < 0)
                end_look(i);
}

static void ask_status(Instance *i) {
        if (qmp_call(i->qmp, "query-status", NULL, -1, ANSWER_USEC, on_status, i) < 0)
                defer(i, &i->tells_look);
}

static void disconnect(Instance *i) {
        i->qmp = qmp_free(i->qmp);
        i->ready = false;
}

static void on_ready(Qmp *qmp _unused_, void *userdata) {
        Instance *i = userdata;

        i->ready = true;
        i->id++;
        if (i->looking)
                ask_status(i);
        else
                instance_look(&i->backend);
}

static void on_closed(Qmp *qmp _unused_, int error, const char *why _unused_, void *userdata) {
        Instance *i = userdata;

        disconnect(i);
        if (!i->looking) {
                instance_look(&i->backend);
                return;
        }
        i->look.run = error == -ETIMEDOUT ? RUN_UNKNOWN : RUN_OFF;
        end_look(i);
}

static void on_event(Qmp *qmp _unused_, const char *name, const Json *data, void *userdata) {
        Instance *i = userdata;

        if (streq(name, "GUEST_PANICKED"))
                i->hooks.crashed(i->hooks.userdata);
        else if (streq(name, "RESET") && json_boolean(json_member(data, "guest")))
                i->hooks.rebooted(i->hooks.userdata);
        else if (streq(name, "STOP") || streq(name, "RESUME"))
                instance_look(&i->backend);
}

static void connect_monitor(Instance *i) {
        const QmpHooks hooks = { .ready = on_ready, .event = on_event, .closed = on_closed, .userdata = i };

        int r = qmp_connect(sd_bus_get_event(i->bus), text_string(&i->monitor), &hooks, &i->qmp);
        if (r >= 0)
                return;
        /* Where nobody listens there is no QEMU. What else fails, as for want of memory or of a place in the
         * queue of a monitor that others hold, says nothing of it. */
        i->look.run = r == -ENOENT || r == -ECONNREFUSED ? RUN_OFF : RUN_UNKNOWN;
        defer(i, &i->tells_look);
}

/* Fills in what is known without QEMU. */
static void look_at_files(Instance *i, BackendLook *look) {
        _cleanup_(qemu_definition_freep) QemuDefinition *definition = NULL;
        _cleanup_text_ Text by = {};
        QemuTemplate template = {};

        text_clear(&i->message);
        int r = qemu_definition_load(i->folders.definitions, i->name, &definition, &i->message);
        if (r < 0) {
                look->way = r == -ENOENT ? WAY_NO_MACHINE : WAY_REFUSED;
                look->message = text_string(&i->message);
                return;
        }
        look->memory_bytes = definition->memory_bytes;
        look->snapshot_seen = true;
        r = qemu_template_look(text_string(&i->template), definition, &template, &i->message);
        look->way = r >= 0 ? WAY_OPEN : r == -ENOENT ? WAY_NO_SNAPSHOT : WAY_REFUSED;
        look->message = text_string(&i->message);
        if (r < 0)
                return;
        look->snapshot_usec = template.made_usec;
        passport_show(&template.passport, &by);
        (void)snprintf(look->snapshot_made_by, sizeof(look->snapshot_made_by), "%s", text_string(&by));
}

void instance_look(Backend *backend) {
        Instance *i = (Instance *)backend; /* its first member */

        /* It may have been on its way for a while already. */
        i->look_again = i->looking;
        if (i->looking || i->reverting)
                return;
        i->looking = true;
        i->look = (BackendLook){ .run = RUN_OFF, .id = -1 };
        look_at_files(i, &i->look);
        if (i->ready)
                ask_status(i);
        else if (!i->qmp)
                connect_monitor(i);
}

/* ---- reverts and templates ---- */

static void forget_look(Instance *i) {
        i->looking = i->look_again = i->tells_look = false;
        i->question = sd_bus_slot_unref(i->question);
}

static void on_reverted(int result, const char *why, void *userdata) {
        Instance *i = userdata;

        i->job = unit_job_free(i->job);
        i->reverting = false;
        i->hooks.reverted(result < 0 ? RESET_FAILED : RESET_DONE, why, i->hooks.userdata);
}

int instance_revert(Backend *backend, SnapshotChoice choice _unused_) {
        Instance *i = (Instance *)backend;
        BackendLook look = {};

        /* Without one it would boot. */
        look_at_files(i, &look);
        if (look.way != WAY_OPEN)
                defer(i, &i->tells_revert);
        else {
                int r = unit_job_new(
                        i->bus, "RestartUnit", text_string(&i->unit), REVERT_USEC, on_reverted, i, &i->job);
                if (r < 0)
                        return r;
        }
        forget_look(i);
        disconnect(i);
        i->reverting = true;
        return 0;
}

static void on_taken(int result, const char *why, void *userdata) {
        Instance *i = userdata;
        /* Held until the hook returns. */
        _cleanup_(unit_job_freep) UnitJob *job _unused_ = TAKE_PTR(i->job);

        i->taken = result >= 0;
        i->hooks.snapshots_changed(result, why, i->hooks.userdata);
}

int instance_take(Backend *backend, SnapshotChoice choice) {
        Instance *i = (Instance *)backend;

        if (choice == SNAPSHOT_SPARE) {
                i->change = 1;
                defer(i, &i->tells_change);
                return 0;
        }
        i->taken = false;
        return unit_job_new(
                i->bus, "StartUnit", text_string(&i->template_unit), TEMPLATE_USEC, on_taken, i, &i->job);
}

int instance_drop(Backend *backend, SnapshotChoice choice) {
        Instance *i = (Instance *)backend;

        i->change = choice == SNAPSHOT_PROPER && i->taken ? -EOPNOTSUPP : 1;
        defer(i, &i->tells_change);
        return 0;
}

static int on_deferred(sd_event_source *source _unused_, void *userdata) {
        Instance *i = userdata;

        if (i->tells_look) {
                i->tells_look = false;
                end_look(i);
        }
        if (i->tells_revert) {
                _cleanup_text_ Text why = {};

                /* The hook looks, which has other words. */
                text_move(&why, &i->message);
                i->tells_revert = i->reverting = false;
                i->hooks.reverted(RESET_IMPOSSIBLE, text_string(&why), i->hooks.userdata);
        }
        if (i->tells_change) {
                i->tells_change = false;
                i->hooks.snapshots_changed(
                        i->change, i->change < 0 ? strerror(-i->change) : "", i->hooks.userdata);
        }
        return 0;
}

/* ---- beginning and end ---- */

void instance_free(Backend *backend) {
        Instance *i = (Instance *)backend;

        forget_look(i);
        disconnect(i);
        unit_job_free(i->job);
        sd_event_source_disable_unref(i->deferred);
        sd_bus_unref(i->bus);
        text_done(&i->unit);
        text_done(&i->template_unit);
        text_done(&i->monitor);
        text_done(&i->template);
        text_done(&i->message);
        free(i->name);
        free(i);
}

int instance_new(const BackendVerbs *verbs, sd_bus *bus, const QemuFolders *folders,
        const MachineConfig *config, const BackendHooks *hooks, Backend **ret) {
        Instance *i = calloc(1, sizeof(*i));
        if (!i)
                return -ENOMEM;

        *i = (Instance){
                .backend.verbs = verbs,
                .bus = sd_bus_ref(bus),
                .folders = *folders,
                .hooks = *hooks,
                .name = strdup(config->name),
        };
        text_append_printf(&i->unit, "pbotvm-qemu@%s.service", config->name);
        text_append_printf(&i->template_unit, "pbotvm-template@%s.service", config->name);
        text_append_printf(&i->monitor, "%s/%s/monitor", folders->run, config->name);
        text_append_printf(&i->template, "%s/%s", folders->templates, config->name);
        int r = i->name && !text_failed(&i->unit) && !text_failed(&i->template_unit) &&
                                !text_failed(&i->monitor) && !text_failed(&i->template)
                        ? sd_event_add_defer(sd_bus_get_event(bus), &i->deferred, on_deferred, i)
                        : -ENOMEM;
        if (r >= 0)
                r = sd_event_source_set_enabled(i->deferred, SD_EVENT_OFF);
        if (r < 0) {
                instance_free(&i->backend);
                return r;
        }
        *ret = &i->backend;
        return 0;
}
