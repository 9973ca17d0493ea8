/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* snapshot: replaces a machine's snapshot by its present state. The watchdog takes and tries it; around that
 * the machine is drained, warmed and put back to work, whatever comes between. */

#include <stdio.h>

#include "common/io.h"
#include "ctl/interrupt.h"
#include "ctl/machines.h"
#include "ctl/password-agent.h"
#include "ctl/warm.h"
#include "paths.h"

/* Those who have it may keep it for their time limit, and what they leave behind may have to be reverted. */
#define FREE_USEC (300 * USEC_PER_SEC)
#define POLL_USEC (200 * USEC_PER_MSEC)
/* The watchdog's own limits decide: a guest's memory is written twice, to whatever disk that is. */
#define TAKE_USEC (4000 * USEC_PER_SEC)

typedef struct Snapshot {
        Ctl *ctl;
        MachineInfo *machine;
        int interrupt_fd;
        char what[300];
        bool taking;
        char *told; /* the last step that was told */
} Snapshot;

static void say(const Snapshot *snapshot, const char *text) {
        if (snapshot->ctl->legend)
                fprintf(stderr, "%s\n", text);
}

static int call(const Snapshot *snapshot, const char *method) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;

        int r = ctl_message(snapshot->ctl, snapshot->machine->path, VM1_MACHINE, method, &message);
        return r < 0 ? ctl_failure(r, snapshot->what)
                     : ctl_call(snapshot->ctl, message, ACTION_USEC, snapshot->what, NULL);
}

static int wait_until_free(Snapshot *snapshot) {
        uint64_t deadline = usec_add(now_monotonic(), FREE_USEC);
        const MachineInfo *machine = snapshot->machine;
        bool told = false;

        for (;;) {
                int r = machine_read(snapshot->ctl, snapshot->machine);
                if (r != 0 || streq(machine->state, "drained"))
                        return r;
                if (now_monotonic() >= deadline) {
                        fprintf(stderr, "Failed to %s: it is %s still after %d s.\n", snapshot->what,
                                machine->state, (int)(FREE_USEC / USEC_PER_SEC));
                        return EXIT_FAILURE;
                }
                if (!told)
                        say(snapshot, "Waiting for the requests that run...");
                told = true;
                r = interrupt_sleep(snapshot->interrupt_fd, POLL_USEC);
                if (r < 0)
                        return r;
        }
}

static int tell_warmth(const Snapshot *snapshot, const WarmResult *result) {
        if (result->trouble.size > 0)
                fprintf(stderr, "Failed to %s: it could not be warmed: %s.\n", snapshot->what,
                        text_string(&result->trouble));
        else if (result->good == 0)
                fprintf(stderr, "Failed to %s: no language said hello.\n", snapshot->what);
        else {
                if (snapshot->ctl->legend)
                        fprintf(stderr, "%u of %u compilers and interpreters said hello%s%s.\n",
                                result->good, result->tried, result->bad.size > 0 ? "; not: " : "",
                                text_string(&result->bad));
                return 0;
        }
        return EXIT_FAILURE;
}

static int warm(const Snapshot *snapshot) {
        _cleanup_(warm_result_done) WarmResult result = {};

        if (!snapshot->ctl->warm)
                return 0;
        if (snapshot->ctl->host) {
                say(snapshot, "Not warmed: a guest of another host cannot be reached from here.");
                return 0;
        }
        int r = warm_guest(snapshot->machine->name, PBOTVM_HELLO_FILE, snapshot->interrupt_fd,
                snapshot->ctl->legend, &result);
        if (r == -EINTR)
                return r;
        return r < 0 ? ctl_failure(r, "warm the guest") : tell_warmth(snapshot, &result);
}

/* What the watchdog says of it, as far as that is new. */
static void tick(void *userdata) {
        Snapshot *snapshot = userdata;

        if (!snapshot->ctl->legend || machine_read(snapshot->ctl, snapshot->machine) != 0)
                return;
        const char *reason = snapshot->machine->state_reason;
        if (snapshot->told && streq(snapshot->told, reason))
                return;
        fprintf(stderr, "%s is %s: %s...\n", snapshot->machine->name, snapshot->machine->state, reason);
        free(snapshot->told);
        snapshot->told = strdup(reason);
}

static int take(Snapshot *snapshot) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;

        int r = ctl_message(snapshot->ctl, snapshot->machine->path, VM1_MACHINE, "Snapshot", &message);
        if (r < 0)
                return ctl_failure(r, snapshot->what);
        say(snapshot, "Taking the snapshot, and trying it...");
        snapshot->taking = true;
        return interrupt_call(
                snapshot->ctl, snapshot->interrupt_fd, message, TAKE_USEC, snapshot->what, tick, snapshot);
}

/* The watchdog undoes what was asked for by who leaves the bus. */
static int give_up(const Snapshot *snapshot) {
        Ctl *ctl = snapshot->ctl;

        ctl->bus = sd_bus_flush_close_unref(ctl->bus);
        if (snapshot->taking)
                fprintf(stderr,
                        "Interrupted: what was begun is undone and the old snapshot is in force, unless "
                        "that was being replaced already; see: pbotvmctl status %s\n",
                        snapshot->machine->name);
        else
                fputs("Interrupted: the old snapshot is in force.\n", stderr);
        return ctl_connect(ctl);
}

static int drained(Snapshot *snapshot) {
        int r = wait_until_free(snapshot);
        if (r == 0)
                r = warm(snapshot);
        /* The last lease of the warming ends by a message that nobody has answered. */
        if (r == 0)
                r = wait_until_free(snapshot);
        return r == 0 ? take(snapshot) : r;
}

static int run(Snapshot *snapshot) {
        int r = machine_read(snapshot->ctl, snapshot->machine);
        if (r != 0)
                return r;
        bool was_drained = snapshot->machine->drained;
        if (!was_drained)
                r = call(snapshot, "Drain");
        if (r != 0)
                return r;

        r = drained(snapshot);
        if (r == -EINTR && give_up(snapshot) != 0)
                return EXIT_NOT_RUNNING;
        int resumed = was_drained ? 0 : call(snapshot, "Resume");
        return r == -EINTR ? EXIT_FAILURE : r != 0 ? r : resumed;
}

int verb_snapshot(Ctl *ctl, int argc _unused_, char **argv) {
        _cleanup_machines_ Machines machines = {};
        _cleanup_close_ int interrupt_fd = -EBADF;
        Snapshot snapshot = { .ctl = ctl };

        int r = machines_list(ctl, &machines);
        if (r != 0)
                return r;
        snapshot.machine = machines_find(&machines, argv[1]);
        if (!snapshot.machine)
                return EXIT_NO_MACHINE;
        (void)snprintf(snapshot.what, sizeof(snapshot.what), "take a snapshot of %s", argv[1]);
        /* Before the signals are blocked: it would inherit that. */
        pid_t agent = ctl->ask_password ? password_agent_start() : 0;
        snapshot.interrupt_fd = interrupt_fd = interrupt_open();
        r = interrupt_fd < 0 ? ctl_failure(interrupt_fd, snapshot.what) : run(&snapshot);
        password_agent_stop(agent);
        free(snapshot.told);
        if (r == 0 && ctl->legend)
                printf("%s has a new snapshot%s.\n", argv[1],
                        streq(snapshot.machine->policy, "never") ? "" : ", which was tried");
        return r;
}
