/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "common/io.h"
#include "ctl/format.h"
#include "ctl/hour-picture.h"
#include "ctl/recent.h"
#include "ctl/refused.h"
#include "ctl/report.h"

#define LABEL_WIDTH 11

static void append_label(Text *text, const char *label) {
        text_append_printf(text, "%*s: ", LABEL_WIDTH, label);
}

static void append_head(Text *text, const MachineInfo *machine, bool colours) {
        const char *colour = format_state_colour(machine->state, colours), *end = format_colour_end(colours);
        const char *dot = format_dot(machine_is_usable(machine));

        text_append_printf(text, "%s%s%s %s", colour, dot, end, machine->name);
        if (machine->domain[0])
                text_append_printf(text, " - domain %s", machine->domain);
        text_append_char(text, '\n');

        append_label(text, "State");
        text_append_printf(text, "%s%s%s", colour, machine->state, end);
        if (machine->state_reason[0]) {
                text_append_string(text, " (");
                format_untrusted(text, machine->state_reason);
                text_append_char(text, ')');
        }
        text_append_printf(text, ", generation %" PRIu64 "\n", machine->generation);
}

static void append_guest(Text *text, const MachineInfo *machine) {
        append_label(text, "Guest");
        text_append_string(text, machine->guest[0] ? machine->guest : "not known yet");
        if (machine->transport[0])
                text_append_printf(text, ", by %s", machine->transport);
        text_append_char(text, '\n');

        append_label(text, "Heartbeat");
        if (machine->heartbeat_age_usec == USEC_INFINITY)
                text_append_string(text, "none yet");
        else {
                format_span(text, machine->heartbeat_age_usec);
                text_append_string(text, " ago");
        }
        if (machine->last_beat[0]) {
                text_append_string(text, ": ");
                format_untrusted(text, machine->last_beat);
        }
        text_append_char(text, '\n');
}

static void append_work(Text *text, const MachineInfo *machine, uint64_t now_usec) {
        append_label(text, "Leases");
        text_append_printf(text, "%" PRIu32 ", %" PRIu32 " waiting\n", machine->leases, machine->queue);
        append_label(text, "Requests");
        text_append_printf(text, "%" PRIu64 "\n", machine->requests);

        append_label(text, "Reverts");
        text_append_printf(
                text, "%" PRIu64 ", %" PRIu64 " failed", machine->reverts, machine->revert_failures);
        if (machine->last_revert_usec > 0) {
                text_append_string(text, "; last ");
                format_time(text, machine->last_revert_usec);
                text_append_string(text, ", ");
                format_span(text, now_usec - MIN(now_usec, machine->last_revert_usec));
                text_append_string(text, " ago");
        }
        if (machine->last_revert_reason[0])
                text_append_printf(text, " (%s)", machine->last_revert_reason);
        text_append_char(text, '\n');

        if (machine->spares > 0 || machine->spare_failures > 0) {
                append_label(text, "Spares");
                text_append_printf(text, "%" PRIu32 " ready, %" PRIu64 " failed\n", machine->spares,
                        machine->spare_failures);
        }
        if (machine->snapshot_usec > 0) {
                append_label(text, "Snapshot");
                format_time(text, machine->snapshot_usec);
                text_append_string(text, ", ");
                format_span(text, now_usec - MIN(now_usec, machine->snapshot_usec));
                text_append_string(text, " ago");
                if (machine->snapshot_made_by[0]) {
                        text_append_string(text, "; by ");
                        format_untrusted(text, machine->snapshot_made_by);
                }
                text_append_char(text, '\n');
        }
        append_label(text, "Policy");
        text_append_printf(text, "revert %s\n", machine->policy);
        if (machine->domain[0]) {
                append_label(text, "CPU");
                text_append_printf(text, "%.0f %%\n", machine->cpu_usage * 100);
        }
}

static void append_hour(Text *text, const MachineInfo *machine) {
        if (!machine->last_hour.known)
                return;
        append_label(text, "Last hour");
        hour_picture(text, &machine->last_hour, LABEL_WIDTH + 2, format_width(), format_unicode());
}

static int status_of(Ctl *ctl, MachineInfo *machine, Text *text, bool colours) {
        int r = machine_read(ctl, machine);

        if (r != 0)
                return r;
        append_head(text, machine, colours);
        append_guest(text, machine);
        append_work(text, machine, now_realtime());
        append_hour(text, machine);
        if (!ctl->host) /* the journal here has nothing of it */
                recent_append(text, machine->name, ctl->lines);
        return 0;
}

static int print_json(Ctl *ctl, Machines *machines, size_t first, size_t n, bool many) {
        _cleanup_text_ Text text = {};

        for (size_t i = first; i < first + n; i++) {
                int r = machine_read(ctl, &machines->machines[i]);
                if (r != 0)
                        return r;
        }
        int r = many ? report_list(&machines->machines[first], n, &text)
                     : report_one(&machines->machines[first], &text);
        if (r < 0)
                return ctl_failure(r, "write JSON");
        ctl_print(&text);
        return 0;
}

static int print_text(Ctl *ctl, Machines *machines, size_t first, size_t n, bool many) {
        bool colours = format_colours();
        _cleanup_text_ Text text = {};

        for (size_t i = first; i < first + n; i++) {
                if (i > first)
                        text_append_char(&text, '\n');
                int r = status_of(ctl, &machines->machines[i], &text, colours);
                if (r != 0)
                        return r;
        }
        if (n == 0 && ctl->legend)
                text_append_string(&text, "No machines are configured.\n");
        if (many)
                refused_append(ctl, &text);
        ctl_print(&text);
        return 0;
}

int verb_status(Ctl *ctl, int argc, char **argv) {
        _cleanup_machines_ Machines machines = {};
        size_t first = 0;

        int r = machines_list(ctl, &machines);
        if (r != 0)
                return r == EXIT_NOT_RUNNING ? EXIT_STATUS_DOWN : r;
        size_t n = machines.n;
        if (argc > 1) {
                const MachineInfo *machine = machines_find(&machines, argv[1]);
                if (!machine)
                        return EXIT_STATUS_UNKNOWN;
                first = (size_t)(machine - machines.machines);
                n = 1;
        }

        r = ctl->json ? print_json(ctl, &machines, first, n, argc == 1)
                      : print_text(ctl, &machines, first, n, argc == 1);
        if (r != 0)
                return r;
        for (size_t i = first; i < first + n; i++)
                if (!machine_is_usable(&machines.machines[i]))
                        return EXIT_STATUS_DOWN;
        return EXIT_SUCCESS;
}
