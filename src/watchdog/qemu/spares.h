/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A machine's QEMUs that wait ahead: has them made, one after another, replaces those that are no good, and
 * gives one to the machine. */

#include "watchdog/qemu/spare-plan.h"
#include "watchdog/qemu/spare.h"
#include "watchdog/qemu/turns.h"

typedef struct Spares Spares;

/* Called from the loop. */
typedef struct SparesHooks {
        /* How many are ready, or failed, is not as it was. */
        void (*changed)(void *userdata);
        /* The end of spares_take(): 0, its guest is the machine's now; or -ENOENT: none became ready. */
        void (*taken)(int result, void *userdata);
        void *userdata;
} SparesHooks;

/* config is read only now, but for its strings, which are borrowed, as folders are. turns: who may make one,
 * of all machines. 0 or negative errno. */
int spares_new(sd_bus *bus, const QemuFolders *folders, const MachineConfig *config, Turns *turns,
        const SparesHooks *hooks, Spares **ret);
/* Its spares are stopped, the guest in use is not. */
Spares *spares_free(Spares *spares);
DEFINE_CLEANUP(Spares *, spares_free);

/* Before anything is made: the place that the guest in use has, from an earlier process. What that left in
 * the others is stopped. */
void spares_recall(Spares *spares, unsigned own);
/* They are to be made from what has that stamp, and those that were made from something else are given up;
 * NULL: none can be made. */
void spares_follow(Spares *spares, const char *stamp);
/* Begins to give the machine one that is ready, or is being made; the guest in use is ended. -ENOENT: there
 * is none. */
int spares_take(Spares *spares);
/* The channel of the one that was taken last, once; -EBADF: there is none. See spare_take_channel(). */
int spares_take_channel(Spares *spares, bool *ret_lanes);

const SparePlan *spares_plan(const Spares *spares);
/* The place of the guest in use. */
const QemuPlace *spares_own(const Spares *spares);
