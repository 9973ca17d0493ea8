/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Replacing a machine's snapshot by its present state, in two rounds of the same: take one, revert to it,
 * have the guest answer. The first round's is called otherwise, beside the old one, which goes when that has
 * answered; the second's has the name that is configured, and when it has answered too the first round's
 * goes. So at each moment there is one that was seen to work, whatever fails and whoever dies. Nothing is
 * leased meanwhile, and the guest's faults count only as its silence does here. */

#include <stdio.h>

#include "common/io.h"
#include "watchdog/keeper-private.h"

const char *keeper_snapshot_words(const Keeper *keeper) {
        static const char *const words[] = {
                [SNAPSHOT_IDLE] = "",
                [SNAPSHOT_TAKING] = "a snapshot is taken",
                [SNAPSHOT_TAKEN] = "a snapshot is taken",
                [SNAPSHOT_LOADING] = "the new snapshot is tried",
                [SNAPSHOT_PROVING] = "the new snapshot is tried",
                [SNAPSHOT_CLEARING] = "the new snapshot was tried",
                [SNAPSHOT_UNDOING] = "the new snapshot is deleted",
        };
        return words[keeper->replacing.phase];
}

/* error: NULL if it went well. */
static void finish(Keeper *keeper, const char *error) {
        const MachineConfig *config = keeper->config;
        char text[512] = "";

        if (error) {
                snprintf(text, sizeof(text), "Taking a snapshot of %s failed: %s", config->name, error);
                keeper_log(keeper, LOG_ERR, NULL, "%s", text);
        } else
                keeper_log(keeper, LOG_NOTICE, NULL, "Took snapshot '%s' of %s.", config->snapshot,
                        config->name);
        keeper->replacing = (Replacing){};
        machine_unhold(&keeper->machine, now_monotonic());
        pending_calls_answer(&keeper->snapshot_calls, error ? SD_BUS_ERROR_FAILED : NULL, text);
        keeper->backend->verbs->look(keeper->backend);
        keeper_changed(keeper);
}

/* What there is when the one that was just taken is gone. */
static const char *remaining(const Keeper *keeper) {
        if (keeper->replacing.choice == SNAPSHOT_SPARE)
                return "the old one is in force";
        return keeper->replacing.proven ? "the one that was tried before it is in force"
                                        : "what was there before is in force, if there was one";
}

static void finish_failed(Keeper *keeper, const char *also) {
        char why[sizeof(keeper->replacing.why) + 300];

        snprintf(why, sizeof(why), "%s%s; %s.", keeper->replacing.why, also, remaining(keeper));
        finish(keeper, why);
}

static void fail(Keeper *keeper, const char *what, const char *message) {
        Replacing *r = &keeper->replacing;

        snprintf(r->why, sizeof(r->why), "%s%s%s", what, *message ? ": " : "", message);
        r->phase = SNAPSHOT_UNDOING;
        if (keeper->backend->verbs->drop(keeper->backend, r->choice) < 0)
                finish_failed(keeper, " (and it could not be deleted)");
}

static void take(Keeper *keeper, SnapshotChoice choice) {
        Replacing *r = &keeper->replacing;

        r->phase = SNAPSHOT_TAKING;
        r->choice = choice;
        int error = keeper->backend->verbs->take(keeper->backend, choice);
        if (error < 0)
                fail(keeper, "it could not be taken", strerror(-error));
}

/* It answered, or is not to be tried. */
static void go_on(Keeper *keeper) {
        Replacing *r = &keeper->replacing;

        if (r->choice == SNAPSHOT_SPARE && r->interrupted)
                fail(keeper, "whoever asked for it is gone", "");
        else if (r->choice == SNAPSHOT_SPARE) {
                r->proven = true;
                take(keeper, SNAPSHOT_PROPER);
        } else {
                r->phase = SNAPSHOT_CLEARING;
                if (keeper->backend->verbs->drop(keeper->backend, SNAPSHOT_SPARE) < 0)
                        finish(keeper, NULL);
        }
}

bool keeper_snapshot_try(Keeper *keeper, SnapshotChoice *ret) {
        Replacing *r = &keeper->replacing;

        if (r->phase != SNAPSHOT_TAKEN)
                return false;
        /* What the guest has now is lost by a revert: not before it is sure that it can be begun. */
        if (keeper->hooks.save(keeper, keeper->hooks.userdata) < 0) {
                fail(keeper, "it could not be tried", "the state of the machines cannot be saved");
                return false;
        }
        machine_condemn(&keeper->machine, REVERT_TRIAL, now_monotonic());
        r->phase = SNAPSHOT_LOADING;
        *ret = r->choice;
        return true;
}

void keeper_snapshots_changed(int result, const char *message, void *userdata) {
        Keeper *keeper = userdata;
        Replacing *r = &keeper->replacing;

        switch (r->phase) {
        case SNAPSHOT_TAKING:
                if (result < 0)
                        fail(keeper, "it could not be taken", message);
                else if (result > 0) /* there is none that it could replace */
                        take(keeper, SNAPSHOT_PROPER);
                else if (!machine_reverts(&keeper->machine) ||
                         (r->interrupted && r->choice == SNAPSHOT_SPARE))
                        go_on(keeper);
                else
                        r->phase = SNAPSHOT_TAKEN;
                break;
        case SNAPSHOT_CLEARING:
                if (result < 0)
                        keeper_log(keeper, LOG_WARNING, NULL, "%s: snapshot '%s.new' is left over: %s",
                                keeper->config->name, keeper->config->snapshot, message);
                finish(keeper, NULL);
                break;
        default: /* SNAPSHOT_UNDOING */
                finish_failed(keeper, result < 0 ? " (and it could not be deleted)" : "");
        }
        keeper_changed(keeper);
}

void keeper_snapshot_loaded(Keeper *keeper, ResetResult result, const char *message) {
        Replacing *r = &keeper->replacing;

        if (r->phase != SNAPSHOT_LOADING)
                return;
        if (result != RESET_DONE) {
                fail(keeper, "reverting to it failed", message);
                return;
        }
        r->phase = SNAPSHOT_PROVING;
        r->deadline_usec = usec_add(now_monotonic(), MACHINE_SETTLE_USEC);
}

void keeper_snapshot_update(Keeper *keeper, uint64_t now_usec) {
        const Replacing *r = &keeper->replacing;
        Machine *m = &keeper->machine;

        if (r->phase != SNAPSHOT_PROVING)
                return;
        if (machine_is_well(m))
                go_on(keeper);
        else if (now_usec >= r->deadline_usec) {
                /* It may wake up yet, and is not what anybody is to have. */
                machine_condemn(m, REVERT_TRIAL, now_usec);
                fail(keeper, "reverted to it, the guest did not answer", "");
        }
}

uint64_t keeper_snapshot_deadline(const Keeper *keeper) {
        return keeper->replacing.phase == SNAPSHOT_PROVING ? keeper->replacing.deadline_usec : USEC_INFINITY;
}

void keeper_snapshot_interrupt(Keeper *keeper) {
        if (keeper->replacing.phase != SNAPSHOT_IDLE && keeper->snapshot_calls.n == 0)
                keeper->replacing.interrupted = true;
}

void keeper_snapshot_give_up(Keeper *keeper) {
        const char *error = keeper->replacing.phase == SNAPSHOT_CLEARING ? NULL : SD_BUS_ERROR_FAILED;
        char text[256];

        if (keeper->snapshot_calls.n == 0)
                return;
        snprintf(text, sizeof(text), "Taking a snapshot of %s failed: the watchdog ends; %s.",
                keeper->config->name, remaining(keeper));
        pending_calls_answer(&keeper->snapshot_calls, error, text);
}

int keeper_snapshot(Keeper *keeper, sd_bus_message *call) {
        if (!keeper->backend)
                return -EOPNOTSUPP;
        if (!machine_can_snapshot(&keeper->machine))
                return -EBUSY;

        int r = keeper->backend->verbs->take(keeper->backend, SNAPSHOT_SPARE);
        if (r < 0)
                return r;
        keeper->replacing = (Replacing){ .phase = SNAPSHOT_TAKING, .choice = SNAPSHOT_SPARE };
        machine_hold(&keeper->machine);
        keeper_changed(keeper);
        return call ? pending_calls_add(&keeper->snapshot_calls, call) : 0;
}
