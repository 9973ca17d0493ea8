/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/qemu/instance.h"

#include <stdio.h>
#include <sys/stat.h>

#include "common/io.h"
#include "qemu/template.h"
#include "qmp/qmp.h"
#include "watchdog/machine-log.h"
#include "watchdog/qemu/spares.h"
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
        Text template_unit, template;
        Spares *spares;
        bool runs; /* spares do, and have since they answered */
        bool told; /* that there are none */

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
        if (unit_get_property(i->bus, text_string(&spares_own(i->spares)->unit), "CPUUsageNSec", on_cpu, i,
                    &i->question) < 0)
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

        int r = qmp_connect(
                sd_bus_get_event(i->bus), text_string(&spares_own(i->spares)->monitor), &hooks, &i->qmp);
        if (r >= 0)
                return;
        /* Where nobody listens there is no QEMU. What else fails, as for want of memory or of a place in the
         * queue of a monitor that others hold, says nothing of it. */
        i->look.run = r == -ENOENT || r == -ECONNREFUSED ? RUN_OFF : RUN_UNKNOWN;
        defer(i, &i->tells_look);
}

static void append_stamp(Text *text, const char *folder, const char *name) {
        _cleanup_text_ Text path = {};
        struct stat st;

        text_append_printf(&path, "%s/%s", folder, name);
        if (!text_failed(&path) && stat(text_string(&path), &st) >= 0)
                text_append_printf(text, "%ju:%ju.%09ld:%jd ", (uintmax_t)st.st_ino,
                        (uintmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (intmax_t)st.st_size);
}

/* Spares are made from this definition and this template, if they can be. */
static void follow_files(Instance *i, const QemuDefinition *definition) {
        _cleanup_text_ Text stamp = {}, file = {};
        bool serial = definition && (definition->serial_data > 0 || definition->serial_heart > 0);

        if (serial && spares_plan(i->spares)->wanted > 0 && !i->told) {
                machine_log(i->name, LOG_NOTICE, NULL,
                        "%s has no spares: two QEMUs cannot have the TCP ports of its \"serial\".", i->name);
                i->told = true;
        }
        if (definition && !serial) {
                text_append_printf(&file, "%s.json", i->name);
                append_stamp(&stamp, i->folders.definitions, text_string(&file));
                append_stamp(&stamp, text_string(&i->template), "passport");
        }
        spares_follow(i->spares, stamp.size > 0 && !text_failed(&stamp) ? text_string(&stamp) : NULL);
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
                follow_files(i, NULL);
                return;
        }
        look->memory_bytes = definition->memory_bytes;
        look->snapshot_seen = true;
        r = qemu_template_look(text_string(&i->template), definition, &template, &i->message);
        look->way = r >= 0 ? WAY_OPEN : r == -ENOENT ? WAY_NO_SNAPSHOT : WAY_REFUSED;
        look->message = text_string(&i->message);
        follow_files(i, r >= 0 ? definition : NULL);
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

static int restart(Instance *i) {
        return unit_job_new(i->bus, "RestartUnit", text_string(&spares_own(i->spares)->unit), REVERT_USEC,
                on_reverted, i, &i->job);
}

static void on_spare_taken(int result, void *userdata) {
        Instance *i = userdata;

        int r = result < 0 ? restart(i) : 0;
        if (r < 0 || result >= 0)
                on_reverted(r, r < 0 ? strerror(-r) : "", i);
}

static void on_spares_changed(void *userdata) {
        Instance *i = userdata;

        i->hooks.restocked(i->hooks.userdata);
}

int instance_revert(Backend *backend, SnapshotChoice choice _unused_) {
        Instance *i = (Instance *)backend;
        BackendLook look = {};

        /* Without one it would boot. */
        look_at_files(i, &look);
        if (look.way != WAY_OPEN)
                defer(i, &i->tells_revert);
        else if (spares_take(i->spares) < 0) {
                int r = restart(i);
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

/* ---- where its guest is ---- */

void instance_recall(Backend *backend, unsigned place) {
        spares_recall(((Instance *)backend)->spares, place);
}

void instance_guest(Backend *backend, BackendGuest *ret) {
        const Instance *i = (const Instance *)backend;
        const QemuPlace *place = spares_own(i->spares);

        *ret = (BackendGuest){
                .place = spares_plan(i->spares)->own,
                .data = place->data.size > 0 ? text_string(&place->data) : NULL,
                .heart = place->heart.size > 0 ? text_string(&place->heart) : NULL,
                .fresh = !i->runs,
        };
        ret->channel = spares_take_channel(i->spares, &ret->lanes);
}

BackendStock instance_stock(const Backend *backend) {
        const SparePlan *plan = spares_plan(((const Instance *)backend)->spares);

        return (BackendStock){ spare_plan_ready(plan), plan->failures };
}

/* ---- beginning and end ---- */

void instance_free(Backend *backend) {
        Instance *i = (Instance *)backend;

        forget_look(i);
        disconnect(i);
        unit_job_free(i->job);
        spares_free(i->spares);
        sd_event_source_disable_unref(i->deferred);
        sd_bus_unref(i->bus);
        text_done(&i->template_unit);
        text_done(&i->template);
        text_done(&i->message);
        free(i->name);
        free(i);
}

int instance_new(const BackendVerbs *verbs, sd_bus *bus, const QemuFolders *folders, Turns *turns,
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
                .runs = config->spare_state == SPARE_RUNNING,
        };
        const SparesHooks spares_hooks = { on_spares_changed, on_spare_taken, i };
        text_append_printf(&i->template_unit, "pbotvm-template@%s.service", config->name);
        text_append_printf(&i->template, "%s/%s", folders->templates, config->name);
        int r = i->name && !text_failed(&i->template_unit) && !text_failed(&i->template)
                        ? sd_event_add_defer(sd_bus_get_event(bus), &i->deferred, on_deferred, i)
                        : -ENOMEM;
        if (r >= 0)
                r = spares_new(bus, &i->folders, config, turns, &spares_hooks, &i->spares);
        if (r >= 0)
                r = sd_event_source_set_enabled(i->deferred, SD_EVENT_OFF);
        if (r < 0) {
                instance_free(&i->backend);
                return r;
        }
        *ret = &i->backend;
        return 0;
}
