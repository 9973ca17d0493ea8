/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include <systemd/sd-event.h>

#include "common/io.h"
#include "ctl/format.h"
#include "ctl/report.h"

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

/* ---- as JSON: an object a line ---- */

static JsonWriter *line_new(const char *path, const char *event) {
        JsonWriter *writer = json_writer_new(false);
        _cleanup_free_ char *name = NULL;

        json_open_object(writer);
        json_key(writer, "time_usec");
        json_put_integer(writer, (int64_t)now_realtime());
        report_string(writer, "machine", sd_bus_path_decode(path, VM1_MACHINES, &name) > 0 ? name : NULL);
        report_string(writer, "event", event);
        return writer;
}

static void print_line(JsonWriter *writer) {
        _cleanup_text_ Text text = {};

        json_close_object(writer);
        if (report_finish(writer, &text) >= 0)
                ctl_print(&text);
}

static void print_state_line(const char *path, const char *was, const char *is, const char *reason) {
        _cleanup_(json_writer_freep) JsonWriter *writer = line_new(path, "state");

        report_string(writer, "old", was);
        report_string(writer, "new", is);
        report_string(writer, "reason", reason);
        print_line(writer);
}

/* ---- what comes ---- */

static int on_state(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        const Monitor *monitor = userdata;
        _cleanup_text_ Text text = {};
        const char *was, *is, *reason;

        int r = sd_bus_message_read(message, "sss", &was, &is, &reason);
        if (r < 0)
                return 0;
        if (monitor->ctl->json) {
                print_state_line(sd_bus_message_get_path(message), was, is, reason);
                return 0;
        }
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

/* A value that is shown. */
typedef union Value {
        const char *s;
        uint64_t t;
        int64_t x;
        uint32_t u;
        double d;
        int b;
} Value;

static void append_value(Text *text, const char *property, char type, const Value *value) {
        text_append_printf(text, " %s=", property);
        switch (type) {
        case 's':
                text_append_char(text, '"');
                format_untrusted(text, value->s);
                text_append_char(text, '"');
                break;
        case 't':
                text_append_printf(text, "%" PRIu64, value->t);
                break;
        case 'x':
                text_append_printf(text, "%" PRIi64, value->x);
                break;
        case 'u':
                text_append_printf(text, "%" PRIu32, value->u);
                break;
        case 'd':
                text_append_printf(text, "%.2f", value->d);
                break;
        default:
                text_append_string(text, value->b ? "yes" : "no");
        }
}

static void put_value(JsonWriter *writer, const char *property, char type, const Value *value) {
        json_key(writer, property);
        switch (type) {
        case 's':
                json_put_string(writer, value->s);
                break;
        case 't':
                json_put_integer(writer, (int64_t)MIN(value->t, (uint64_t)INT64_MAX));
                break;
        case 'x':
                json_put_integer(writer, value->x);
                break;
        case 'u':
                json_put_integer(writer, value->u);
                break;
        case 'd':
                json_put_integer(writer, (int64_t)value->d);
                break;
        default:
                json_put_boolean(writer, value->b);
        }
}

static bool is_shown(const char *property) {
        return !streq(property, "State") && !streq(property, "StateReason"); /* StateChanged tells them */
}

/* 1 with the next property and its value, 0 if it is passed over, or negative errno. */
static int read_property(sd_bus_message *message, const char **property, char *type, Value *value) {
        const char *contents;
        char container;

        int r = sd_bus_message_read(message, "s", property);
        if (r >= 0)
                r = sd_bus_message_peek_type(message, &container, &contents);
        if (r < 0)
                return r;
        if (!is_shown(*property) || strlen(contents) != 1 || !strchr("stxudb", contents[0])) {
                r = sd_bus_message_skip(message, "v");
                return MIN(r, 0);
        }

        *type = contents[0];
        r = sd_bus_message_enter_container(message, 'v', contents);
        if (r >= 0)
                r = sd_bus_message_read_basic(message, *type, value);
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        return r < 0 ? r : 1;
}

/* Shows those that changed, as text or, with a writer, as JSON. Whether there were any. */
static bool read_properties(sd_bus_message *message, Text *text, JsonWriter *writer) {
        const char *property;
        bool any = false;
        Value value;
        char type;

        int r = sd_bus_message_enter_container(message, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                r = read_property(message, &property, &type, &value);
                if (r > 0 && writer)
                        put_value(writer, property, type, &value);
                else if (r > 0)
                        append_value(text, property, type, &value);
                any = any || r > 0;
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        return any;
}

static int on_properties(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        const Monitor *monitor = userdata;
        const char *path = sd_bus_message_get_path(message), *interface;
        _cleanup_text_ Text text = {};

        int r = sd_bus_message_read(message, "s", &interface);
        if (r < 0 || !streq(interface, VM1_MACHINE))
                return 0;
        if (monitor->ctl->json) {
                _cleanup_(json_writer_freep) JsonWriter *writer = line_new(path, "properties");
                json_key(writer, "properties");
                json_open_object(writer);
                bool any = read_properties(message, NULL, writer);
                json_close_object(writer);
                if (any)
                        print_line(writer);
                return 0;
        }
        append_head(&text, path);
        bool any = read_properties(message, &text, NULL);
        text_append_char(&text, '\n');
        if (any)
                ctl_print(&text);
        return 0;
}

static int on_owner(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        const Monitor *monitor = userdata;
        const char *name, *was, *is;
        _cleanup_text_ Text text = {};

        if (sd_bus_message_read(message, "sss", &name, &was, &is) < 0)
                return 0;
        if (monitor->ctl->json) {
                _cleanup_(json_writer_freep) JsonWriter *writer = line_new(VM1_PATH, "service");
                json_key(writer, "running");
                json_put_boolean(writer, is[0]);
                print_line(writer);
                return 0;
        }
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
                if (monitor->ctl->json) {
                        print_state_line(machine->path, NULL, machine->state, NULL);
                        continue;
                }
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
