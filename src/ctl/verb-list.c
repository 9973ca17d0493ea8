/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "ctl/format.h"
#include "ctl/report.h"

#define COLUMNS 8
#define CELL_MAX 40

static const char *const titles[COLUMNS] = { "MACHINE", "STATE", "GEN", "GUEST", "TRANSPORT", "LEASES",
        "REQUESTS", "REVERTS" };

typedef struct Row {
        char cells[COLUMNS][CELL_MAX + 1];
} Row;

static void fill(Row *row, const MachineInfo *m) {
        const char *const strings[] = { m->name, m->state, NULL, m->guest[0] ? m->guest : "-",
                m->transport[0] ? m->transport : "-" };

        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                if (strings[i])
                        (void)snprintf(row->cells[i], CELL_MAX + 1, "%s", strings[i]);
        (void)snprintf(row->cells[2], CELL_MAX + 1, "%" PRIu64, m->generation);
        (void)snprintf(row->cells[5], CELL_MAX + 1, "%" PRIu32 "+%" PRIu32, m->leases, m->queue);
        (void)snprintf(row->cells[6], CELL_MAX + 1, "%" PRIu64, m->requests);
        (void)snprintf(row->cells[7], CELL_MAX + 1, "%" PRIu64, m->reverts);
}

static void append_row(
        Text *text, const Row *row, const int widths[COLUMNS], const char *state, bool colours) {
        for (size_t i = 0; i < COLUMNS; i++) {
                const char *colour = i == 1 && state ? format_state_colour(state, colours) : "";
                int width = i + 1 < COLUMNS ? widths[i] + 1 : 0;
                text_append_printf(text, "%s%-*s%s", colour, width, row->cells[i],
                        *colour ? format_colour_end(colours) : "");
        }
        text_append_char(text, '\n');
}

static int append_table(Text *text, const Machines *machines, bool legend) {
        _cleanup_free_ Row *rows = calloc(machines->n + 1, sizeof(Row));
        int widths[COLUMNS] = {};
        bool colours = format_colours();

        if (!rows)
                return -ENOMEM;
        for (size_t i = 0; legend && i < COLUMNS; i++)
                (void)snprintf(rows[0].cells[i], CELL_MAX + 1, "%s", titles[i]);
        for (size_t i = 0; i < machines->n; i++)
                fill(&rows[i + 1], &machines->machines[i]);
        for (size_t i = 0; i <= machines->n; i++)
                for (size_t c = 0; c < COLUMNS; c++)
                        widths[c] = MAX(widths[c], (int)strlen(rows[i].cells[c]));

        if (legend)
                append_row(text, &rows[0], widths, NULL, false);
        for (size_t i = 0; i < machines->n; i++)
                append_row(text, &rows[i + 1], widths, machines->machines[i].state, colours);
        if (legend)
                text_append_printf(text, "\n%zu machine%s listed; LEASES are running+waiting.\n",
                        machines->n, machines->n == 1 ? "" : "s");
        return text_error(text);
}

int verb_list(Ctl *ctl, int argc _unused_, char **argv _unused_) {
        _cleanup_machines_ Machines machines = {};
        _cleanup_text_ Text text = {};

        int r = machines_list(ctl, &machines);
        for (size_t i = 0; r == 0 && i < machines.n; i++)
                r = machine_read(ctl, &machines.machines[i]);
        if (r != 0)
                return r;

        r = ctl->json ? report_list(machines.machines, machines.n, &text)
                      : append_table(&text, &machines, ctl->legend);
        if (r < 0)
                return ctl_failure(r, "list the machines");
        ctl_print(&text);
        return EXIT_SUCCESS;
}
