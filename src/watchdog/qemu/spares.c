/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/qemu/spares.h"

#include <unistd.h>

#include "common/io.h"
#include "watchdog/machine-log.h"
#include "watchdog/qemu/unit-job.h"

/* Of the processors, where others want them too: systemd's CPUWeight. */
#define WEIGHT_MAKING 20
#define WEIGHT_USED 100

typedef struct Slot {
        Spares *spares;
        unsigned number;
        QemuPlace place;
        Spare *spare; /* NULL: there is none */
        Turn turn;    /* to make one */
} Slot;

struct Spares {
        sd_bus *bus;
        SparesHooks hooks;
        const char *machine;
        Framing framing;
        bool runs;
        SparePlan plan;
        Slot slots[SPARE_PLACES_MAX];
        Text stamp; /* empty: none can be made */
        bool begun; /* what was left over is stopped */
        bool taking;
        int channel; /* of the one that was taken last */
        bool lanes;
        sd_event_source *work, *timer;
};

const SparePlan *spares_plan(const Spares *spares) {
        return &spares->plan;
}

const QemuPlace *spares_own(const Spares *spares) {
        return &spares->slots[spares->plan.own].place;
}

/* What follows from a change is done soon, from the loop. */
static void set_work(Spares *spares) {
        (void)sd_event_source_set_enabled(spares->work, SD_EVENT_ONESHOT);
}

static void stop(const Slot *slot) {
        unit_stop(slot->spares->bus, text_string(&slot->place.unit));
}

static void set_weight(const Slot *slot, uint64_t weight) {
        unit_set_cpu_weight(slot->spares->bus, text_string(&slot->place.unit), weight);
}

/* ---- taking one ---- */

static void end_take(Spares *spares, int result) {
        spares->taking = false;
        spares->hooks.taken(result, spares->hooks.userdata);
}

static void slot_failed(Slot *slot, const char *why) {
        Spares *spares = slot->spares;

        slot->spare = spare_free(slot->spare);
        turn_end(&slot->turn);
        stop(slot);
        if (spare_plan_failed(&spares->plan, slot->number, now_monotonic()))
                machine_log(spares->machine, LOG_WARNING, NULL,
                        "A spare of %s is no good, it is made again: %s.", spares->machine, why);
        spares->hooks.changed(spares->hooks.userdata);
        set_work(spares);
}

/* Wakes the next one that is ready, or waits for one that is being made: 0; -ENOENT: there is none. */
static int wake_next(Spares *spares) {
        for (int first; (first = spare_plan_first(&spares->plan)) >= 0;) {
                Slot *slot = &spares->slots[first];
                int r = spare_wake(slot->spare);
                if (r >= 0) {
                        set_weight(slot, WEIGHT_USED);
                        return 0;
                }
                slot_failed(slot, strerror(-r));
        }
        if (!spare_plan_is_making(&spares->plan))
                return -ENOENT;
        for (unsigned i = 0; i < SPARE_PLACES_MAX; i++)
                if (spares->slots[i].spare)
                        set_weight(&spares->slots[i], WEIGHT_USED);
        return 0;
}

int spares_take(Spares *spares) {
        const Slot *own = &spares->slots[spares->plan.own];

        int r = wake_next(spares);
        if (r < 0)
                return r;
        spares->taking = true;
        stop(own);
        return 0;
}

int spares_take_channel(Spares *spares, bool *ret_lanes) {
        *ret_lanes = spares->lanes;
        return TAKE_FD(spares->channel);
}

/* ---- what becomes of one ---- */

static void on_made(Spare *spare _unused_, void *userdata) {
        Slot *slot = userdata;
        Spares *spares = slot->spares;

        turn_end(&slot->turn);
        spare_plan_made(&spares->plan, slot->number, now_monotonic());
        if (spares->taking)
                set_work(spares);
        spares->hooks.changed(spares->hooks.userdata);
}

static void on_failed(Spare *spare _unused_, const char *why, void *userdata) {
        Slot *slot = userdata;

        slot_failed(slot, why);
}

static void on_woken(Spare *spare, void *userdata) {
        Slot *slot = userdata;
        Spares *spares = slot->spares;

        fd_close(spares->channel);
        spares->channel = spare_take_channel(spare, &spares->lanes);
        slot->spare = spare_free(slot->spare);
        spare_plan_taken(&spares->plan, slot->number);
        set_work(spares);
        end_take(spares, 0);
}

/* ---- making them ---- */

static void give_up(Slot *slot) {
        if (!slot->spare)
                return;
        slot->spare = spare_free(slot->spare);
        turn_end(&slot->turn);
        stop(slot);
        spare_plan_void(&slot->spares->plan, slot->number);
        set_work(slot->spares);
}

static void begin(Slot *slot) {
        Spares *spares = slot->spares;
        const SpareOrder order = { &slot->place, spares->framing, spares->runs };
        const SpareHooks hooks = { on_made, on_failed, on_woken, slot };

        set_weight(slot, WEIGHT_MAKING);
        spare_plan_making(&spares->plan, slot->number);
        int r = spare_new(spares->bus, &order, &hooks, &slot->spare);
        if (r < 0)
                slot_failed(slot, strerror(-r));
}

static void make(Spares *spares) {
        uint64_t now = now_monotonic();
        int next = -1;

        while (spares->stamp.size > 0 && (next = spare_plan_next(&spares->plan, now)) >= 0 &&
                turn_ask(&spares->slots[next].turn))
                begin(&spares->slots[next]);
        for (int i = 0; i < SPARE_PLACES_MAX; i++)
                if (i != next && !spares->slots[i].spare)
                        turn_end(&spares->slots[i].turn);

        uint64_t deadline = spare_plan_deadline(&spares->plan, now);
        if (deadline == USEC_INFINITY)
                return;
        (void)sd_event_source_set_time(spares->timer, deadline);
        (void)sd_event_source_set_enabled(spares->timer, SD_EVENT_ONESHOT);
}

/* True if one of the spares is on its way to be the machine's. */
static bool is_waking(const Spares *spares) {
        for (unsigned i = 0; i < SPARE_PLACES_MAX; i++)
                if (spares->slots[i].spare && spare_is_waking(spares->slots[i].spare))
                        return true;
        return false;
}

static void stop_left_over(const Spares *spares) {
        for (unsigned i = 0; i < SPARE_PLACES_MAX; i++)
                if (i != spares->plan.own && access(text_string(&spares->slots[i].place.folder), F_OK) >= 0)
                        stop(&spares->slots[i]);
}

static int on_work(sd_event_source *source _unused_, void *userdata) {
        Spares *spares = userdata;

        if (!spares->begun) {
                spares->begun = true;
                stop_left_over(spares);
        }
        make(spares);
        if (spares->taking && !is_waking(spares) && wake_next(spares) < 0)
                end_take(spares, -ENOENT);
        return 0;
}

static int on_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        set_work(userdata);
        return 0;
}

static void on_turn(void *userdata) {
        set_work(userdata);
}

void spares_follow(Spares *spares, const char *stamp) {
        if (streq(text_string(&spares->stamp), stamp ? stamp : ""))
                return;
        text_clear(&spares->stamp);
        if (stamp)
                text_append_string(&spares->stamp, stamp);
        for (unsigned i = 0; i < SPARE_PLACES_MAX; i++)
                give_up(&spares->slots[i]);
        spares->hooks.changed(spares->hooks.userdata);
        set_work(spares);
}

void spares_recall(Spares *spares, unsigned own) {
        spares->plan.own = MIN(own, (unsigned)MACHINE_SPARES_MAX);
}

/* ---- beginning and end ---- */

Spares *spares_free(Spares *spares) {
        if (!spares)
                return NULL;
        for (unsigned i = 0; i < SPARE_PLACES_MAX; i++) {
                Slot *slot = &spares->slots[i];
                give_up(slot);
                turn_end(&slot->turn);
                place_done(&slot->place);
        }
        sd_event_source_disable_unref(spares->work);
        sd_event_source_disable_unref(spares->timer);
        fd_close(spares->channel);
        text_done(&spares->stamp);
        sd_bus_unref(spares->bus);
        free(spares);
        return NULL;
}

static int add_sources(Spares *spares, sd_event *event) {
        int r = sd_event_add_defer(event, &spares->work, on_work, spares);
        if (r >= 0)
                r = sd_event_add_time(
                        event, &spares->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_time, spares);
        return r < 0 ? r : sd_event_source_set_enabled(spares->timer, SD_EVENT_OFF);
}

int spares_new(sd_bus *bus, const QemuFolders *folders, const MachineConfig *config, Turns *turns,
        const SparesHooks *hooks, Spares **ret) {
        _cleanup_(spares_freep) Spares *spares = calloc(1, sizeof(*spares));
        /* They prove themselves over the channel, and are for reverts alone. */
        bool usable = config->channel_data && config->transport != TRANSPORT_SERIAL &&
                      config->policy != POLICY_NEVER;
        int r = 0;

        if (!spares)
                return -ENOMEM;
        spares->bus = sd_bus_ref(bus);
        spares->hooks = *hooks;
        spares->machine = config->name;
        spares->framing = config->guest == GUEST_PBOT_2023 ? FRAMING_END_MARKER : FRAMING_CHUNKS;
        spares->runs = config->spare_state == SPARE_RUNNING;
        spares->channel = -EBADF;
        spare_plan_init(&spares->plan, usable ? config->spares : 0);
        for (unsigned i = 0; i < SPARE_PLACES_MAX; i++) {
                Slot *slot = &spares->slots[i];
                slot->spares = spares;
                slot->number = i;
                slot->turn = (Turn){ .turns = turns, .come = on_turn, .userdata = spares };
                if (r >= 0)
                        r = place_init(&slot->place, folders, config, i);
        }
        if (r >= 0)
                r = add_sources(spares, sd_bus_get_event(bus));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(spares);
        return 0;
}
