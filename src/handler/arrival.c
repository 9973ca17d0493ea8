/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/arrival.h"

#include "common/io.h"
#include "common/vm1.h"
#include "handler/bus-wait.h"

#define UNIT_NAME "pbotvm-watchdog.service"
/* For an answer of systemd, or of the bus. */
#define ANSWER_USEC (3 * USEC_PER_SEC)
/* It is asked again so often: an operator may stop what is coming. */
#define COMING_USEC (1 * USEC_PER_SEC)
/* What goes down is down soon, or on its way up. */
#define LEAVING_USEC (100 * USEC_PER_MSEC)

typedef enum UnitState {
        UNIT_UNKNOWN, /* systemd does not say */
        UNIT_DOWN,
        UNIT_LEAVING,
        UNIT_COMING,
} UnitState;

/* The states of systemd's ActiveState in which a unit does not come up by itself. In "active" it has lost
 * its name a moment ago, and systemd will notice. */
static const struct {
        const char *name;
        UnitState state;
} unit_states[] = {
        { "inactive", UNIT_DOWN },
        { "failed", UNIT_DOWN },
        { "deactivating", UNIT_LEAVING },
};

typedef struct Arrival {
        sd_bus *bus;
        int client_fd;
        uint64_t deadline;
        bool there;
} Arrival;

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        Arrival *arrival = userdata;
        const char *name, *was, *is;

        if (sd_bus_message_read(m, "sss", &name, &was, &is) >= 0)
                arrival->there = !isempty(is);
        return 0;
}

/* Calls with one or two strings. 1 with *ret, 0 if there is no answer or an error, or negative errno. */
static int ask(const Arrival *arrival, sd_bus_message *call, const char *first, const char *second,
        sd_bus_message **ret) {
        uint64_t until = MIN(usec_add(now_monotonic(), ANSWER_USEC), arrival->deadline);

        int r = sd_bus_message_set_auto_start(call, false);
        if (r >= 0)
                r = sd_bus_message_append(call, "s", first);
        if (r >= 0 && second)
                r = sd_bus_message_append(call, "s", second);
        if (r >= 0)
                r = bus_ask(arrival->bus, call, ANSWER_USEC, arrival->client_fd, until, ret);
        if (r < 0)
                return r == -ETIMEDOUT ? 0 : r;
        return !sd_bus_message_is_method_error(*ret, NULL);
}

/* Needed, since it may have come between a call that failed and the match for its coming. */
static int ask_bus(const Arrival *arrival) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        int there = false;

        int r = sd_bus_message_new_method_call(arrival->bus, &call, "org.freedesktop.DBus",
                "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner");
        if (r >= 0)
                r = ask(arrival, call, VM1_NAME, NULL, &reply);
        if (r > 0)
                r = sd_bus_message_read(reply, "b", &there);
        return r < 0 ? r : there;
}

/* Everybody may read this, and it loads what is not loaded. */
static int ask_property(const Arrival *arrival, const char *property, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_free_ char *path = NULL;

        int r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", UNIT_NAME, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_call(arrival->bus, &call, "org.freedesktop.systemd1", path,
                        "org.freedesktop.DBus.Properties", "Get");
        return r < 0 ? r : ask(arrival, call, "org.freedesktop.systemd1.Unit", property, ret);
}

/* Whether a unit that is down has a job, which is to start it: 1, 0 or negative errno. */
static int is_queued(const Arrival *arrival) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *path;
        uint32_t id = 0;

        int r = ask_property(arrival, "Job", &reply);
        if (r > 0)
                r = sd_bus_message_read(reply, "v", "(uo)", &id, &path);
        return r < 0 ? r : id != 0;
}

/* A UnitState or negative errno. */
static int unit_state(const Arrival *arrival) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        UnitState state = UNIT_COMING;
        const char *name;

        int r = ask_property(arrival, "ActiveState", &reply);
        if (r > 0)
                r = sd_bus_message_read(reply, "v", "s", &name);
        if (r <= 0)
                return r < 0 ? r : UNIT_UNKNOWN;
        for (size_t i = 0; i < ELEMENTSOF(unit_states); i++)
                if (streq(unit_states[i].name, name))
                        state = unit_states[i].state;

        r = state == UNIT_DOWN ? is_queued(arrival) : 0;
        if (r > 0)
                state = UNIT_COMING;
        return r < 0 ? r : (int)state;
}

int arrival_wait(sd_bus *bus, bool was_there, int client_fd, uint64_t deadline) {
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        Arrival arrival = { .bus = bus, .client_fd = client_fd, .deadline = deadline };

        int r = sd_bus_add_match_async(bus, &slot,
                "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" VM1_NAME "'",
                on_owner, NULL, &arrival);
        if (r >= 0)
                r = ask_bus(&arrival);
        while (r == 0 && now_monotonic() < deadline) {
                int state = unit_state(&arrival);
                if (state < 0 || state == UNIT_DOWN || (state == UNIT_UNKNOWN && !was_there))
                        return MIN(state, 0);
                uint64_t usec = state == UNIT_LEAVING ? LEAVING_USEC : COMING_USEC;
                r = bus_run(bus, &arrival.there, client_fd, MIN(deadline, usec_add(now_monotonic(), usec)));
                r = r == -ETIMEDOUT ? 0 : r < 0 ? r : 1;
        }
        return r;
}
