/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where connections wait that have to prove that they are the host's: each says the secret first, in as many
 * bytes as that takes and within 2 s. Of too many, the oldest goes; nothing else of them is read. */

#include <systemd/sd-event.h>

#include "common/proof.h"

#define DOOR_WAITING_MAX 16
#define DOOR_PATIENCE_USEC (2 * USEC_PER_SEC)

typedef struct Door Door;

/* It is the host's; what it sends next has not been read. The callee owns fd. */
typedef void (*DoorPassed)(int fd, void *userdata);

/* 0 or -ENOMEM. */
int door_new(sd_event *event, DoorPassed passed, void *userdata, Door **ret);
Door *door_free(Door *door);
DEFINE_CLEANUP(Door *, door_free);

/* Whoever says this from now on passes; until then nobody does. */
void door_set_secret(Door *door, const uint8_t secret[static SECRET_SIZE]);
bool door_has_secret(const Door *door);
/* Takes a connection, non-blocking, in any case. */
void door_admit(Door *door, int fd);
