/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/bus/machine-signals.h"

#include "common/io.h"
#include "common/vm1.h"
#include "watchdog/machine-log.h"

#define PROPERTIES_USEC (100 * USEC_PER_MSEC)

/* The properties whose changes are told. */
static const struct {
        const char *name;
        char type;
        size_t offset; /* in the view */
        bool told;
} properties[] = {
#define ROW(type, member, name, signature, flags)                                                           \
        { name, signature[0], offsetof(MachineView, member),                                                \
                ((flags)&SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE) != 0 },
        MACHINE_PROPERTIES(ROW)
#undef ROW
};

struct MachineSignals {
        sd_bus *bus;
        Keeper *keeper;
        char *path;
        bool muted;
        sd_event_source *timer;

        /* What was last told. */
        MachineState state;       /* _MACHINE_STATE_MAX: nothing yet */
        uint64_t properties_usec; /* when the properties were; 0: never */
        Text values[ELEMENTSOF(properties)];
};

static int on_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        MachineSignals *signals = userdata;
        MachineView view = keeper_view(signals->keeper);

        machine_signals_send(signals, &view);
        return 0;
}

int machine_signals_new(sd_event *event, sd_bus *bus, Keeper *keeper, MachineSignals **ret) {
        _cleanup_(machine_signals_freep) MachineSignals *signals = calloc(1, sizeof(*signals));
        if (!signals)
                return -ENOMEM;
        signals->bus = sd_bus_ref(bus);
        signals->keeper = keeper;
        signals->state = _MACHINE_STATE_MAX;

        int r = sd_bus_path_encode(VM1_MACHINES, keeper_config(keeper)->name, &signals->path);
        if (r >= 0)
                r = sd_event_add_time(
                        event, &signals->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_time, signals);
        if (r >= 0)
                r = sd_event_source_set_enabled(signals->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(signals);
        return 0;
}

MachineSignals *machine_signals_free(MachineSignals *signals) {
        if (!signals)
                return NULL;
        sd_event_source_disable_unref(signals->timer);
        for (size_t i = 0; i < ELEMENTSOF(properties); i++)
                text_done(&signals->values[i]);
        sd_bus_unref(signals->bus);
        free(signals->path);
        free(signals);
        return NULL;
}

/* Every request makes it busy and ready again: that is no news for the log. */
static bool is_usual(MachineState state) {
        return state == MACHINE_READY || state == MACHINE_BUSY;
}

static void tell_state(MachineSignals *signals, const MachineView *view) {
        MachineState before = signals->state;
        const char *was = before < _MACHINE_STATE_MAX ? machine_state_to_string(before) : "";

        machine_log(view->name, is_usual(view->state) && is_usual(before) ? LOG_DEBUG : LOG_NOTICE,
                MESSAGE_STATE, "%s is %s%s%s.", view->name, view->state_name, *view->reason ? ": " : "",
                view->reason);
        (void)sd_bus_emit_signal(signals->bus, signals->path, VM1_MACHINE, "StateChanged", "sss", was,
                view->state_name, view->reason);
}

/* A property's value, as bytes. */
static void read_value(const MachineView *view, size_t i, const void **ret, size_t *ret_size) {
        const void *member = (const char *)view + properties[i].offset;

        if (properties[i].type == 's') {
                *ret = *(const char *const *)member;
                *ret_size = strlen(*ret);
        } else {
                *ret = member;
                *ret_size = strchr("bu", properties[i].type) ? sizeof(uint32_t) : sizeof(uint64_t);
        }
}

/* True if it is not as it was told last; then it is taken for told. */
static bool take_change(MachineSignals *signals, const MachineView *view, size_t i) {
        Text *told = &signals->values[i];
        const void *value;
        size_t size;

        read_value(view, i, &value, &size);
        if (told->size == size && (size == 0 || memcmp(told->data, value, size) == 0))
                return false;
        text_clear(told);
        text_append(told, value, size);
        return true;
}

static void tell_properties(MachineSignals *signals, const MachineView *view) {
        const char *changed[ELEMENTSOF(properties) + 1];
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(properties); i++)
                if (properties[i].told && take_change(signals, view, i))
                        changed[n++] = properties[i].name;
        changed[n] = NULL;

        /* Of a machine that replaces one with other settings all may be new: its counters begin again. */
        if (n > 0 || signals->properties_usec == 0)
                (void)sd_bus_emit_properties_changed_strv(signals->bus, signals->path, VM1_MACHINE,
                        signals->properties_usec == 0 ? NULL : (char **)changed);
}

void machine_signals_send(MachineSignals *signals, const MachineView *view) {
        if (signals->muted)
                return;

        MachineState before = signals->state;
        uint64_t now = now_monotonic(), next = usec_add(signals->properties_usec, PROPERTIES_USEC);

        if (view->state != before) {
                tell_state(signals, view);
                signals->state = view->state;
        }

        bool urgent = view->state != before && !(is_usual(view->state) && is_usual(before));
        if (now < next && !urgent) {
                (void)sd_event_source_set_time(signals->timer, next);
                (void)sd_event_source_set_enabled(signals->timer, SD_EVENT_ONESHOT);
                return;
        }
        tell_properties(signals, view);
        signals->properties_usec = now;
}

void machine_signals_mute(MachineSignals *signals, bool mute) {
        signals->muted = mute;
}

void machine_signals_announce(MachineSignals *signals, bool there) {
        if (there)
                (void)sd_bus_emit_interfaces_added(signals->bus, signals->path, VM1_MACHINE, NULL);
        else
                (void)sd_bus_emit_interfaces_removed(signals->bus, signals->path, VM1_MACHINE, NULL);
}
