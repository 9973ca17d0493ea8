/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verbs that change something: each is one call, authorised by the service. */

#include <stdio.h>

#include "ctl/password-agent.h"
#include "ctl/report.h"

/* Calls METHOD of a machine, with one string argument or none. */
static int call_machine(
        Ctl *ctl, const MachineInfo *machine, const char *method, const char *argument, const char *what) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;

        int r = ctl_message(ctl, machine->path, VM1_MACHINE, method, &message);
        if (r >= 0 && argument)
                r = sd_bus_message_append(message, "s", argument);
        if (r < 0)
                return ctl_failure(r, what);

        pid_t agent = ctl->ask_password ? password_agent_start() : 0;
        r = ctl_call(ctl, message, ACTION_USEC, what, NULL);
        password_agent_stop(agent);
        return r;
}

static int print_json(const MachineInfo *machine) {
        _cleanup_text_ Text text = {};

        int r = report_one(machine, &text);
        if (r < 0)
                return ctl_failure(r, "write JSON");
        ctl_print(&text);
        return 0;
}

static int change(Ctl *ctl, const char *name, const char *verb, const char *method, const char *argument) {
        _cleanup_machines_ Machines machines = {};
        char what[300];

        int r = machines_list(ctl, &machines);
        if (r != 0)
                return r;
        MachineInfo *machine = machines_find(&machines, name);
        if (!machine)
                return EXIT_NO_MACHINE;

        (void)snprintf(what, sizeof(what), "%s %s", verb, name);
        r = call_machine(ctl, machine, method, argument, what);
        if (r != 0 || (!ctl->legend && !ctl->json))
                return r;
        r = machine_read(ctl, machine);
        if (r == 0 && ctl->json)
                return print_json(machine);
        if (r == 0)
                printf("%s is %s, generation %llu.\n", machine->name, machine->state,
                        (unsigned long long)machine->generation);
        return r;
}

/* The reason is what is left of the line, as one would type it after git commit -m. */
int verb_revert(Ctl *ctl, int argc, char **argv) {
        _cleanup_text_ Text reason = {};

        for (int i = 2; i < argc; i++) {
                if (i > 2)
                        text_append_char(&reason, ' ');
                text_append_string(&reason, argv[i]);
        }
        if (text_failed(&reason))
                return ctl_failure(-ENOMEM, "revert");
        return change(ctl, argv[1], "revert", "Revert", text_string(&reason));
}

int verb_drain(Ctl *ctl, int argc _unused_, char **argv) {
        return change(ctl, argv[1], "drain", "Drain", NULL);
}

int verb_resume(Ctl *ctl, int argc _unused_, char **argv) {
        return change(ctl, argv[1], "resume", "Resume", NULL);
}

int verb_reload(Ctl *ctl, int argc _unused_, char **argv _unused_) {
        static const char what[] = "reload the configuration";
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;

        int r = ctl_message(ctl, VM1_PATH, VM1_MANAGER, "Reload", &message);
        if (r < 0)
                return ctl_failure(r, what);

        pid_t agent = ctl->ask_password ? password_agent_start() : 0;
        r = ctl_call(ctl, message, ACTION_USEC, what, NULL);
        password_agent_stop(agent);
        return r;
}
