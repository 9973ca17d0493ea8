/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A snapshot that something else has made than what is here now: QEMU, libvirt or the host's CPU are others
 * since, after an upgrade as a rule. QEMU does not always load it then, and what it loads does not always
 * live. So it is tried at a quiet moment, in place of the moment when a revert is needed, and where it does
 * not work its guest is booted cold, for a new one. What did not help is not what is tried next: reverts and
 * boots take turns. */

#include "common/io.h"
#include "watchdog/keeper-private.h"

/* Nobody has wanted the machine for so long: a good moment. */
#define QUIET_USEC (10 * USEC_PER_SEC)

static bool can_boot(const Keeper *keeper) {
        return keeper->backend->verbs->boot && keeper->config->stale_snapshot == STALE_RENEW;
}

void keeper_stale_looked(Keeper *keeper, const BackendLook *look) {
        static const char *const follows[] = {
                [STALE_RENEW] =
                        "it is tried when nobody needs the machine, and made anew if it does not work",
                [STALE_TRY] = "it is tried when nobody needs the machine",
                [STALE_KEEP] = "it is not tried before a revert is needed",
        };
        Stale *s = &keeper->stale;

        if (!look->snapshot_seen)
                return;
        if (!streq(s->here, look->made_now_by) || s->snapshot_usec != look->snapshot_usec)
                s->told = s->works = s->failed = s->boots = false;
        snprintf(s->here, sizeof(s->here), "%s", look->made_now_by);
        s->snapshot_usec = look->snapshot_usec;
        s->doubted = look->snapshot_stale && machine_reverts(&keeper->machine);
        if (s->doubted && !s->told)
                keeper_log(keeper, LOG_NOTICE, MESSAGE_STALE_SNAPSHOT,
                        "%s: its snapshot was taken with %s, and here is %s: %s.", keeper->config->name,
                        look->snapshot_made_by, s->here, follows[keeper->config->stale_snapshot]);
        s->told = s->doubted;
}

/* It is not known whether a revert to it works. */
static bool is_open(const Stale *s) {
        return s->doubted && !s->works;
}

static void on_failed(Keeper *keeper) {
        Stale *s = &keeper->stale;

        s->proving = false;
        s->failed = true;
        s->boots = can_boot(keeper) && !s->boots;
        keeper_log(keeper, LOG_ERR, MESSAGE_STALE_SNAPSHOT, "%s: %s; %s.", keeper->config->name,
                s->booted ? "booted cold, it did not come up" : "its snapshot does not work here",
                s->boots ? "it is booted cold, for a new one" : "the revert is tried again");
        s->booted = false;
}

bool keeper_stale_boots(const Keeper *keeper) {
        return keeper->stale.boots && is_open(&keeper->stale) && keeper->replacing.phase == SNAPSHOT_IDLE;
}

bool keeper_stale_is_booting(const Keeper *keeper) {
        return keeper->stale.booted && keeper->stale.proving;
}

void keeper_stale_reset_ended(Keeper *keeper, ResetResult result, uint64_t now_usec) {
        Stale *s = &keeper->stale;

        if (!is_open(s) || result == RESET_IMPOSSIBLE || keeper->replacing.phase != SNAPSHOT_IDLE)
                return;
        s->booted = s->boots;
        if (result == RESET_FAILED) {
                on_failed(keeper);
                return;
        }
        s->proving = true;
        if (s->booted)
                machine_booted(&keeper->machine, now_usec);
}

static void on_proven(Keeper *keeper) {
        Stale *s = &keeper->stale;

        if (s->booted) {
                /* At once, so nobody has used its guest. */
                s->taking = true;
                (void)keeper_snapshot(keeper, NULL);
        } else {
                s->works = true;
                keeper_log(keeper, LOG_NOTICE, MESSAGE_STALE_SNAPSHOT, "%s: its snapshot works with %s.",
                        keeper->config->name, s->here);
        }
        s->proving = false;
}

/* With it or without it, its guest serves. */
static void on_taken(Keeper *keeper) {
        Stale *s = &keeper->stale;

        s->taking = s->boots = s->booted = s->failed = false;
}

/* What has failed has been told, and is tried again when it is needed. */
static bool is_quiet(const Keeper *keeper) {
        return is_open(&keeper->stale) && !keeper->stale.failed &&
               keeper->config->stale_snapshot != STALE_KEEP && keeper->waiting == 0 &&
               machine_is_idle(&keeper->machine);
}

void keeper_stale_update(Keeper *keeper, uint64_t now_usec) {
        Machine *m = &keeper->machine;
        Stale *s = &keeper->stale;

        if (s->taking && keeper->replacing.phase == SNAPSHOT_IDLE)
                on_taken(keeper);
        if (s->proving && machine_is_well(m))
                on_proven(keeper);
        else if (s->proving && m->due != REVERT_NONE && !m->resetting)
                on_failed(keeper);

        if (!is_quiet(keeper) || s->proving)
                s->quiet_usec = 0;
        else if (s->quiet_usec == 0)
                s->quiet_usec = now_usec;
        else if (now_usec >= usec_add(s->quiet_usec, QUIET_USEC))
                machine_condemn(m, REVERT_TRIAL, now_usec);
}

uint64_t keeper_stale_deadline(const Keeper *keeper) {
        return keeper->stale.quiet_usec > 0 ? usec_add(keeper->stale.quiet_usec, QUIET_USEC) : USEC_INFINITY;
}
