/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A QEMU that is made ahead: its unit is started, which loads the template; its agent is asked until it has
 * answered, which under emulation also has all translations made that an answer needs; then it is stopped,
 * or runs on. From then on it is watched, until it is woken. */

#include <systemd/sd-bus.h>

#include "common/frame.h"
#include "watchdog/qemu/place.h"

typedef struct Spare Spare;

/* Called from the loop; the spare may be freed in them. */
typedef struct SpareHooks {
        void (*made)(Spare *spare, void *userdata);
        /* It is no good, whatever it was doing. why: for people. Called once, and nothing after it. */
        void (*failed)(Spare *spare, const char *why, void *userdata);
        /* Its guest runs. */
        void (*woken)(Spare *spare, void *userdata);
        void *userdata;
} SpareHooks;

typedef struct SpareOrder {
        const QemuPlace *place; /* borrowed */
        Framing framing;        /* of its agent */
        bool runs;              /* it is not stopped when it has answered */
} SpareOrder;

/* Begins to make it. 0 or negative errno. */
int spare_new(sd_bus *bus, const SpareOrder *order, const SpareHooks *hooks, Spare **ret);
/* Begins to wake one that was made. 0 or negative errno. */
int spare_wake(Spare *spare);
/* It was begun to, and has not ended. */
bool spare_is_waking(const Spare *spare);
/* The connection to its agent, which has just answered, or had when its time stood still: the caller's now.
 * *ret_lanes: it understands lanes. */
int spare_take_channel(Spare *spare, bool *ret_lanes);
/* Its QEMU stays. */
Spare *spare_free(Spare *spare);
DEFINE_CLEANUP(Spare *, spare_free);
