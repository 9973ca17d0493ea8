/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include <systemd/sd-event.h>

#include "common/io.h"
#include "ctl/format.h"
#include "ctl/machines.h"

typedef struct Monitor {
        Ctl *ctl;
        bool colours;
} Monitor;

static void append_head(Text *text, const char *path) {
        _cleanup_free_ char *name = NULL;

        format_time(text, now_realtime());
        if (sd_bus_path_decode(path, VM1_MACHINES, &name) > 0)
                text_append_printf(text, " %s:", name);
        else
                text_append_string(text, " service:");
}

static int on_state(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        const Monitor *monitor = userdata;
        _cleanup_text_ Text text = {};
        const char *was, *is, *reason;

        int r = sd_bus_message_read(message, "sss", &was, &is, &reason);
        if (r < 0)
                return 0;
        append_head(&text, sd_bus_message_get_path(message));
        text_append_printf(&text, " %s -> %s%s%s", was[0] ? was : "new",
                format_state_colour(is, monitor->colours), is, format_colour_end(monitor->colours));
        if (reason[0]) {
                text_append_string(&text, " (");
                format_untrusted(&text, reason);
                text_append_char(&text, ')');
        }
        text_append_char(&text, '\n');
        ctl_print(&text);
        return 0;
}

/* One basic value of any type; 0 if it is none. */
static int append_value(Text *text, sd_bus_message *message, char type) {
        union {
                const char *s;
                uint64_t t;
                int64_t x;
                uint32_t u;
                double d;
                int b;
        } value;

        if (!strchr("stxudb", type))
                return 0;
        int r = sd_bus_message_read_basic(message, type, &value);
        if (r < 0)
                return r;
        switch (type) {
        case 's':
                text_append_char(text, '"');
                format_untrusted(text, value.s);
                text_append_char(text, '"');
                break;
        case 't':
                text_append_printf(text, "%" PRIu64, value.t);
                break;
        case 'x':
                text_append_printf(text, "%" PRIi64, value.x);
                break;
        case 'u':
                text_append_printf(text, "%" PRIu32, value.u);
                break;
        case 'd':
                text_append_printf(text, "%.2f", value.d);
                break;
        default:
                text_append_string(text, value.b ? "yes" : "no");
        }
        return 1;
}

static bool is_shown(const char *property) {
        return !streq(property, "State") && !streq(property, "StateReason"); /* StateChanged tells them */
}

/* Appends " Property=value"; 0 if it is not shown. */
static int append_property(sd_bus_message *message, Text *text) {
        const char *property, *contents;
        char type;

        int r = sd_bus_message_read(message, "s", &property);
        if (r < 0)
                return r;
        r = sd_bus_message_peek_type(message, &type, &contents);
        if (r < 0)
                return r;
        if (!is_shown(property) || strlen(contents) != 1 || !strchr("stxudb", contents[0])) {
                r = sd_bus_message_skip(message, "v");
                return r < 0 ? r : 0;
        }

        r = sd_bus_message_enter_container(message, 'v', contents);
        if (r < 0)
                return r;
        text_append_printf(text, " %s=", property);
        r = append_value(text, message, contents[0]);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(message);
        return r < 0 ? r : 1;
}

static int on_properties(sd_bus_message *message, void *userdata _unused_, sd_bus_error *error _unused_) {
        _cleanup_text_ Text text = {};
        const char *interface;
        bool any = false;

        int r = sd_bus_message_read(message, "s", &interface);
        if (r < 0 || !streq(interface, VM1_MACHINE))
                return 0;
        append_head(&text, sd_bus_message_get_path(message));
        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                r = append_property(message, &text);
                any = any || r > 0;
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        text_append_char(&text, '\n');
        if (any)
                ctl_print(&text);
        return 0;
}

static int on_owner(sd_bus_message *message, void *userdata _unused_, sd_bus_error *error _unused_) {
        const char *name, *was, *is;
        _cleanup_text_ Text text = {};

        if (sd_bus_message_read(message, "sss", &name, &was, &is) < 0)
                return 0;
        append_head(&text, VM1_PATH);
        text_append_printf(&text, " %s\n", is[0] ? "started" : "stopped");
        ctl_print(&text);
        return 0;
}

static int add_matches(Monitor *monitor) {
        static const struct {
                const char *match;
                sd_bus_message_handler_t handler;
        } matches[] = {
                { "type='signal',sender='" VM1_NAME "',interface='" VM1_MACHINE "',member='StateChanged'",
                        on_state },
                { "type='signal',sender='" VM1_NAME "',interface='org.freedesktop.DBus.Properties',"
                  "member='PropertiesChanged',path_namespace='" VM1_PATH "'",
                        on_properties },
                { "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" VM1_NAME
                  "'",
                        on_owner },
        };

        for (size_t i = 0; i < ELEMENTSOF(matches); i++) {
                int r = sd_bus_add_match(
                        monitor->ctl->bus, NULL, matches[i].match, matches[i].handler, monitor);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int watch(Monitor *monitor, sd_event *event) {
        static const int signals[] = { SIGINT, SIGTERM };
        sigset_t set;

        (void)sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void)sigaddset(&set, signals[i]);
        (void)sigprocmask(SIG_BLOCK, &set, NULL);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                int r = sd_event_add_signal(event, NULL, signals[i], NULL, NULL);
                if (r < 0)
                        return r;
        }

        int r = sd_bus_attach_event(monitor->ctl->bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_set_exit_on_disconnect(monitor->ctl->bus, true);
        if (r >= 0)
                r = add_matches(monitor);
        return r < 0 ? r : sd_event_loop(event);
}

/* Where the machines stand when the watching begins. */
static int print_states(const Monitor *monitor) {
        _cleanup_machines_ Machines machines = {};
        _cleanup_text_ Text text = {};

        int r = machines_list(monitor->ctl, &machines);
        if (r != 0)
                return r;
        for (size_t i = 0; i < machines.n; i++) {
                const MachineInfo *machine = &machines.machines[i];
                append_head(&text, machine->path);
                text_append_printf(&text, " is %s%s%s\n",
                        format_state_colour(machine->state, monitor->colours), machine->state,
                        format_colour_end(monitor->colours));
        }
        ctl_print(&text);
        return 0;
}

int verb_monitor(Ctl *ctl, int argc _unused_, char **argv _unused_) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        Monitor monitor = { .ctl = ctl, .colours = format_colours() };

        int r = print_states(&monitor);
        if (r != 0 && r != EXIT_NOT_RUNNING) /* it may be started meanwhile */
                return r;
        r = sd_event_new(&event);
        if (r >= 0)
                r = watch(&monitor, event);
        return r < 0 ? ctl_failure(r, "monitor") : r;
}
